import { ViewportPortal } from '@xyflow/react'
import { type KeyboardEvent, memo, type PointerEvent, useCallback, useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Position, StickyNote } from '~/api/types'
import { useCut } from '~/canvas/cut'
import { grid } from '~/doc/graph'
import { moveNotes, noteGesture, noteSizeFrom, noteTextMax, setNoteText } from '~/doc/notes'
import { type DocStore, useDoc, useDocStore } from '~/doc/store'
import { useUi } from '~/ui/store'
import { useNoteState } from './note-state'
import '~/canvas/notes.css'

interface LayerProps {
  /** Says where a place of the window is on the drawing. */
  toFlow(screen: Position): Position | undefined
  /** Draws the selected nodes along with what is dragged; null ends it. */
  onCarry(way: Position | null): void
  /** How far the selected nodes are dragged: the selected notes go along. */
  way: Position | null
  /** What is selected was let go so far from where it was. */
  onCarried(way: Position): void
}

const none: readonly StickyNote[] = []
const nothing: ReadonlySet<string> = new Set()

/** The notes of the flow, under its nodes. */
export function NotesLayer({ toFlow, way, onCarry, onCarried }: LayerProps) {
  const notes = useDoc((s) => s.doc.notes) ?? none
  const selected = useUi((s) => s.selection.notes) ?? nothing
  const editing = useNoteState((s) => s.editing)
  const [own, setOwn] = useState<Position | null>(null)
  const shift = own ?? way
  const setShift = useCallback(
    (by: Position | null) => {
      setOwn(by)
      onCarry(by)
    },
    [onCarry],
  )
  useLeaving(selected.size > 0)
  return (
    <ViewportPortal>
      <div className="nt-layer">
        {notes.map((note) => (
          <Note
            key={note.id}
            note={note}
            selected={selected.has(note.id)}
            editing={editing === note.id}
            shift={shift && selected.has(note.id) ? shift : null}
            onShift={setShift}
            toFlow={toFlow}
            onCarried={onCarried}
          />
        ))}
      </div>
    </ViewportPortal>
  )
}

/** A click beside the selected notes leaves them: the drawing itself knows only of its nodes. */
function useLeaving(some: boolean): void {
  useEffect(() => {
    if (!some) return
    const down = (event: Event) => {
      const target = event.target as Element | null
      if (target?.classList.contains('react-flow__pane')) useUi.getState().select([])
    }
    document.addEventListener('pointerdown', down, true)
    return () => document.removeEventListener('pointerdown', down, true)
  }, [some])
}

interface NoteProps extends Pick<LayerProps, 'toFlow' | 'onCarried'> {
  note: StickyNote
  selected: boolean
  editing: boolean
  /** How far the selected notes are dragged. */
  shift: Position | null
  onShift(by: Position | null): void
}

const Note = memo(function Note({ note, selected, editing, shift, onShift, toFlow, onCarried }: NoteProps) {
  const { t } = useTranslation('notes')
  const store = useDocStore()
  const element = useRef<HTMLDivElement>(null)
  const text = useRef<HTMLDivElement>(null)
  const cut = useCut(text, note, !editing)
  const [size, setSize] = useState<{ w: number; h: number } | null>(null)
  const move = useDrag(toFlow, {
    by: onShift,
    end: (way) => {
      onShift(null)
      if (way.x !== 0 || way.y !== 0) onCarried(way)
    },
  })
  const stretch = useDrag(toFlow, {
    by: (way) => setSize(noteSizeFrom(note.w + way.x, note.h + way.y)),
    end: (way) => {
      setSize(null)
      const next = noteSizeFrom(note.w + way.x, note.h + way.y)
      if (next.w !== note.w || next.h !== note.h)
        store.getState().commit({ op: 'set', list: 'notes', key: note.id, patch: next })
    },
  })
  const { w, h } = size ?? note
  const [x, y] = [note.x + (shift?.x ?? 0), note.y + (shift?.y ?? 0)]
  return (
    // biome-ignore lint/a11y/useSemanticElements: a note is moved and written on, which no element means
    <div
      ref={element}
      className="nt nopan nodrag"
      role="group"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it is reached, moved and opened by the keyboard
      tabIndex={0}
      data-note={note.id}
      data-colour={note.colour || undefined}
      data-selected={selected}
      aria-label={t('label', { text: note.text?.slice(0, 80) || t('empty') })}
      aria-description={editing ? undefined : t('keys')}
      style={{ transform: `translate(${x}px, ${y}px)`, width: w, height: h }}
      onPointerDown={(event) => {
        if (editing || event.button !== 0) return
        selectNote(note.id, event.ctrlKey || event.metaKey)
        move(event)
      }}
      onDoubleClick={() => useNoteState.getState().edit(note.id)}
      onKeyDown={(event) => {
        if (event.target === element.current) pressed(event, store, note, selected)
      }}
    >
      {editing ? (
        <Writing note={note} onBack={() => element.current?.focus()} />
      ) : (
        <div ref={text} className="nt-text" data-empty={!note.text} data-cut={cut}>
          {note.text || t('placeholder')}
        </div>
      )}
      {selected && <span className="nt-corner" aria-hidden="true" onPointerDown={stretch} />}
    </div>
  )
})

/** The text of a note while it is written on the drawing. */
function Writing({ note, onBack }: { note: StickyNote; onBack(): void }) {
  const { t } = useTranslation('notes')
  const store = useDocStore()
  const stop = () => {
    store.getState().seal()
    useNoteState.getState().edit(null)
  }
  return (
    <textarea
      // biome-ignore lint/a11y/noAutofocus: a person has just asked to write here
      autoFocus
      onFocus={(event) => event.currentTarget.setSelectionRange(noteTextMax, noteTextMax)}
      className="nowheel"
      aria-label={t('text')}
      value={note.text ?? ''}
      maxLength={noteTextMax}
      placeholder={t('placeholder')}
      onChange={(event) =>
        store.getState().commit(setNoteText(note.id, event.currentTarget.value), noteGesture(note.id))
      }
      onBlur={stop}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return
        stop()
        onBack()
      }}
    />
  )
}

function selectNote(id: string, more: boolean): void {
  const { selection, select } = useUi.getState()
  const notes = selection.notes ?? nothing
  if (!more) {
    if (!notes.has(id)) select([], [], [id])
    return
  }
  const next = new Set(notes)
  if (!next.delete(id)) next.add(id)
  select(selection.nodes, selection.edges, next)
}

const ways: { [key: string]: Position } = {
  ArrowLeft: { x: -grid, y: 0 },
  ArrowRight: { x: grid, y: 0 },
  ArrowUp: { x: 0, y: -grid },
  ArrowDown: { x: 0, y: grid },
}

/** Enter selects a note and then opens it; arrows move it, and with Shift they change its size. */
function pressed(event: KeyboardEvent, store: DocStore, note: StickyNote, selected: boolean): void {
  const way = ways[event.key]
  if (event.key === 'Enter' || event.key === 'F2') {
    if (selected || event.key === 'F2') useNoteState.getState().edit(note.id)
    selectNote(note.id, false)
  } else if (event.key === ' ') selectNote(note.id, event.ctrlKey || event.metaKey)
  else if (way && selected && event.shiftKey) {
    const patch = noteSizeFrom(note.w + way.x, note.h + way.y)
    store.getState().commit({ op: 'set', list: 'notes', key: note.id, patch }, `note:${note.id}:size`)
  } else if (way && selected) {
    const ids = useUi.getState().selection.notes ?? nothing
    store.getState().commit(moveNotes(store.getState().doc, ids, way), `notes:${[...ids].join()}:nudge`)
  } else return
  event.preventDefault()
  event.stopPropagation()
}

interface Drag {
  by(way: Position): void
  end(way: Position): void
}

/** Follows the pointer from where it was pressed, in steps of the grid. */
function useDrag(toFlow: LayerProps['toFlow'], drag: Drag) {
  const latest = useRef(drag)
  latest.current = drag
  return (event: PointerEvent<HTMLElement>) => {
    event.stopPropagation()
    const target = event.currentTarget
    const from = toFlow({ x: event.clientX, y: event.clientY })
    if (!from) return
    const way = (e: globalThis.PointerEvent): Position => {
      const to = toFlow({ x: e.clientX, y: e.clientY }) ?? from
      return { x: to.x - from.x, y: to.y - from.y }
    }
    const over = new AbortController()
    const moved = (e: globalThis.PointerEvent) => latest.current.by(way(e))
    const ended = (e: globalThis.PointerEvent) => {
      over.abort()
      latest.current.end(e.type === 'pointerup' ? way(e) : { x: 0, y: 0 })
    }
    target.setPointerCapture(event.pointerId)
    target.addEventListener('pointermove', moved, { signal: over.signal })
    target.addEventListener('pointerup', ended, { signal: over.signal })
    target.addEventListener('pointercancel', ended, { signal: over.signal })
  }
}
