import { useEffect } from 'react'
import type { Flow, FlowNode, Position } from '~/api/types'
import { copyText, paste, readClip } from '~/doc/clipboard'
import type { Command } from '~/doc/commands'
import { connect as connectCommand, freeSpot, moveTo, refusal, removeAll, snap } from '~/doc/graph'
import { bridged, moveOntoEdge } from '~/doc/insert'
import { moveNotes, noteGesture, noteTextMax, setNoteText } from '~/doc/notes'
import type { DocStore } from '~/doc/store'
import { useUi } from '~/ui/store'
import { useNoteState } from './note-state'
import { useOverlay } from './overlay'
import { usePerspective } from './perspective'

interface Keys {
  save(): void
  start(): void
  fit(): void
  /** Shows the drawing at its own size. */
  actual(): void
  layout(): void
  /** Goes to the search of the palette. */
  find(): void
  /** Opens the list of what can be added behind the selected node, into the selected line, or anywhere. */
  add(): void
  /** Puts a note on the drawing. */
  note(): void
}

/** Whether the keys belong to a field that is being written in. */
function isTyping(target: EventTarget | null): boolean {
  const element = target as HTMLElement | null
  return !!element?.closest?.(
    'input, textarea, select, [contenteditable=true], [role=dialog], [role=menu], [role=listbox]',
  )
}

/**
 * What is typed between asking for a note and its field being there goes into the note: its code may still be on the
 * way. Answers whether the key was such a one.
 */
function writesAhead(event: KeyboardEvent, store: DocStore): boolean {
  const { editing, edit } = useNoteState.getState()
  if (editing === null || isTyping(event.target)) return false
  const note = store.getState().doc.notes?.find((n) => n.id === editing)
  if (!note || event.key === 'Escape') {
    edit(null)
    return note !== undefined
  }
  if (event.metaKey || event.ctrlKey || event.altKey) return false
  const text = typedAfter(note.text ?? '', event.key).slice(0, noteTextMax)
  if (text !== (note.text ?? '')) store.getState().commit(setNoteText(editing, text), noteGesture(editing))
  return true
}

/**
 * What is typed between asking for a list or a sheet and its being there is for it, and does nothing to the drawing.
 * Answers whether the key was such a one.
 */
function searchesAhead(event: KeyboardEvent): boolean {
  const { open, early, type, close } = useOverlay.getState()
  if (!open || isTyping(event.target) || event.metaKey || event.ctrlKey || event.altKey) return false
  if (event.key === 'Escape') close()
  else if (event.key !== 'Enter') type(typedAfter(early, event.key))
  return true
}

/** A text after a key at its end; a key that writes nothing leaves it as it is. */
function typedAfter(text: string, key: string): string {
  if (key === 'Backspace') return [...text].slice(0, -1).join('')
  if (key === 'Enter') return `${text}\n`
  return [...key].length === 1 ? text + key : text
}

/** The shortcuts of the editor. Those of the document never take keys from a field. */
export function useEditorKeys(store: DocStore, keys: Keys): void {
  useEffect(() => () => useNoteState.getState().edit(null), [])
  useEffect(() => {
    const down = (event: KeyboardEvent) => {
      if (writesAhead(event, store) || searchesAhead(event)) return event.preventDefault()
      const command = event.metaKey || event.ctrlKey
      const key = event.key.toLowerCase()
      if (command && handleAnywhere(key, keys)) return event.preventDefault()
      if (isTyping(event.target)) return
      const handled = command
        ? handleCommand(store, key, event.shiftKey)
        : handlePlain(store, event.key, event.shiftKey, keys)
      if (handled) event.preventDefault()
    }
    const copied = (event: ClipboardEvent) => {
      // A text that was marked with the mouse is what a person means to copy.
      if (isTyping(event.target) || document.getSelection()?.isCollapsed === false) return
      const text = copiedText(store)
      if (!text) return
      event.clipboardData?.setData('text/plain', text)
      event.preventDefault()
      if (event.type === 'cut') removeSelected(store)
    }
    const pasted = (event: ClipboardEvent) => {
      if (isTyping(event.target)) return
      const clip = readClip(event.clipboardData?.getData('text/plain') ?? '')
      if (!clip) return
      event.preventDefault()
      pasteInto(store, clip)
    }
    document.addEventListener('keydown', down)
    document.addEventListener('copy', copied)
    document.addEventListener('cut', copied)
    document.addEventListener('paste', pasted)
    return () => {
      document.removeEventListener('keydown', down)
      document.removeEventListener('copy', copied)
      document.removeEventListener('cut', copied)
      document.removeEventListener('paste', pasted)
    }
  }, [store, keys])
}

function handleAnywhere(key: string, keys: Keys): boolean {
  if (key === 's') keys.save()
  else if (key === 'enter') keys.start()
  else return false
  return true
}

function handleCommand(store: DocStore, key: string, shift: boolean): boolean {
  if (key === 'z' && !shift) store.getState().undo()
  else if ((key === 'z' && shift) || key === 'y') store.getState().redo()
  else if (key === 'a') selectAll(store)
  else if (key === 'd') duplicate(store)
  else if (key === 'f') useOverlay.getState().show({ kind: 'find' })
  else return false
  return true
}

function handlePlain(store: DocStore, key: string, shift: boolean, keys: Keys): boolean {
  if (key === 'Delete' || key === 'Backspace') return shift ? bridgeSelected(store) : removeSelected(store)
  const ui = useUi.getState()
  const plain: { [key: string]: () => void } = {
    Escape: () => ui.select([]),
    '0': keys.actual,
    '1': keys.fit,
    '/': keys.find,
    '[': () => ui.setPaletteOpen(!ui.paletteOpen),
    a: keys.add,
    n: keys.note,
    s: () => ui.openDrawer('schemes'),
    e: () => ui.openDrawer('problems'),
    p: () => usePerspective.getState().toggle(),
    v: () => ui.openDrawer('variables'),
    y: () => useOverlay.getState().show({ kind: 'file' }),
    '?': () => useOverlay.getState().show({ kind: 'keys' }),
  }
  if (key === 'L' && shift) keys.layout()
  else if (key === 'c') return connectSelected(store)
  else if (plain[key]) plain[key]()
  else return false
  return true
}

/** Connects two selected nodes, the left one to the right one; of one it asks to which: wiring by keyboard. */
function connectSelected(store: DocStore): boolean {
  const { doc } = store.getState()
  const [single, more] = useUi.getState().selection.nodes
  if (single !== undefined && more === undefined) {
    useOverlay.getState().show({ kind: 'connect', from: single })
    return true
  }
  const chosen = doc.nodes.filter((n) => useUi.getState().selection.nodes.has(n.id))
  const [from, to] = chosen.sort((a, b) => (a.position?.x ?? 0) - (b.position?.x ?? 0))
  if (!from || !to || chosen.length !== 2 || refusal(doc, from.id, to.id) !== null) return false
  store.getState().commit(connectCommand(doc, from.id, to.id))
  return true
}

function selectAll(store: DocStore): void {
  const { nodes, notes = [] } = store.getState().doc
  useUi.getState().select(
    nodes.map((n) => n.id),
    [],
    notes.map((n) => n.id),
  )
}

function copiedText(store: DocStore): string | null {
  const { nodes, notes } = useUi.getState().selection
  return copyText(store.getState().doc, nodes, notes)
}

/** Takes away what is selected, with the lines of the nodes. */
export function removeSelected(store: DocStore): boolean {
  const { nodes, edges, notes } = useUi.getState().selection
  if (nodes.size === 0 && edges.size === 0 && !notes?.size) return false
  store.getState().commit(removeAll(store.getState().doc, nodes, edges, notes))
  useUi.getState().select([])
  return true
}

/** Takes one node out of its path and closes the gap. */
function bridgeSelected(store: DocStore): boolean {
  const [id, more] = useUi.getState().selection.nodes
  const command = id !== undefined && more === undefined ? bridged(store.getState().doc, id) : null
  if (!command) return removeSelected(store)
  store.getState().commit(command)
  useUi.getState().select([])
  return true
}

function pasteInto(store: DocStore, clip: NonNullable<ReturnType<typeof readClip>>): void {
  const { doc } = store.getState()
  const first = clip.nodes[0]?.position ?? clip.notes?.[0] ?? { x: 0, y: 0 }
  const spot = freeSpot(doc, { x: first.x + 24, y: first.y + 24 })
  const { command, ids, notes } = paste(doc, clip, { x: spot.x - first.x, y: spot.y - first.y })
  if (ids.length + notes.length === 0) return
  store.getState().commit(command)
  useUi.getState().select(ids, [], notes)
}

/** Puts a copy of the selected nodes beside them. */
export function duplicate(store: DocStore): void {
  const text = copiedText(store)
  const clip = text && readClip(text)
  if (clip) pasteInto(store, clip)
}

/** Where the selected nodes are after a way on the grid. */
export function placesAfter(store: DocStore, way: Position): Map<string, Position> {
  const { nodes } = useUi.getState().selection
  const at = (n: FlowNode) => n.position ?? { x: 0, y: 0 }
  return new Map(
    store
      .getState()
      .doc.nodes.filter((n) => nodes.has(n.id))
      .map((n) => [n.id, snap({ x: at(n).x + way.x, y: at(n).y + way.y })]),
  )
}

/** The selected notes go as far as the selected node that is dragged. */
function carried(doc: Flow, moves: ReadonlyMap<string, Position>): Command[] {
  const { nodes, notes } = useUi.getState().selection
  const lead = doc.nodes.find((n) => nodes.has(n.id) && moves.has(n.id))
  const to = lead && moves.get(lead.id)
  if (!to || !notes || notes.size === 0) return []
  return [moveNotes(doc, notes, { x: to.x - (lead.position?.x ?? 0), y: to.y - (lead.position?.y ?? 0) })]
}

/** Moves nodes, as one gesture however often a key repeats. */
export function commitMove(
  store: DocStore,
  moves: ReadonlyMap<string, { x: number; y: number }>,
  by: 'drag' | 'keyboard' | 'layout',
  edge?: string,
): void {
  const { doc } = store.getState()
  const real = new Map(
    [...moves].filter(([id, p]) =>
      doc.nodes.some((n) => n.id === id && (n.position?.x !== p.x || n.position?.y !== p.y)),
    ),
  )
  const [only] = moves.keys()
  const into = edge !== undefined && only !== undefined ? moveOntoEdge(doc, edge, only) : null
  if (into) store.getState().commit({ op: 'batch', commands: [moveTo(real), into] })
  else if (real.size > 0)
    store
      .getState()
      .commit(
        { op: 'batch', commands: [moveTo(real), ...(by === 'layout' ? [] : carried(doc, real))] },
        by === 'keyboard' ? `nudge:${[...real.keys()].join()}` : undefined,
      )
}
