import { ViewportPortal } from '@xyflow/react'
import { memo, type ReactNode, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { StickyNote } from '~/api/types'
import { IconArrowsMaximize, IconX } from '~/app/icons'
import { useCut } from './cut'
import './notes.css'

interface Props {
  notes: readonly StickyNote[]
  /** The note that stands out. */
  chosen?: string | null
  /** What is drawn over a note. */
  over?: (id: string) => ReactNode
}

/** Notes as they stand, under the nodes: they are read, and let the pointer through to the drawing. */
export const StillNotes = memo(function StillNotes({ notes, chosen, over }: Props) {
  const [open, setOpen] = useState<string | null>(null)
  const shown = notes.find((n) => n.id === open)
  return (
    <ViewportPortal>
      <div className="nt-layer">
        {notes.map((note) => (
          <Still key={note.id} note={note} chosen={note.id === chosen} onOpen={setOpen}>
            {over?.(note.id)}
          </Still>
        ))}
      </div>
      {shown && <Whole note={shown} onClose={() => setOpen(null)} />}
    </ViewportPortal>
  )
})

interface StillProps {
  note: StickyNote
  chosen: boolean
  onOpen(id: string): void
  children: ReactNode
}

/** A note as large as it is drawn; one that says more than fits can be opened. */
function Still({ note, chosen, onOpen, children }: StillProps) {
  const { t } = useTranslation('notes')
  const text = useRef<HTMLDivElement>(null)
  const cut = useCut(text, note)
  return (
    <div
      className="nt"
      role="note"
      aria-label={t('title')}
      data-note={note.id}
      data-colour={note.colour || undefined}
      data-still="true"
      data-selected={chosen || undefined}
      style={{ transform: `translate(${note.x}px, ${note.y}px)`, width: note.w, height: note.h }}
    >
      <div ref={text} className="nt-text" data-cut={cut}>
        {note.text}
      </div>
      {cut && (
        <button
          type="button"
          className="nt-more nopan nodrag"
          aria-label={t('whole')}
          title={t('whole')}
          onClick={() => onOpen(note.id)}
        >
          <IconArrowsMaximize size={13} stroke={2.2} aria-hidden />
        </button>
      )}
      {children}
    </div>
  )
}

/** All that a note says, over the nodes, until it is closed. */
function Whole({ note, onClose }: { note: StickyNote; onClose(): void }) {
  const { t } = useTranslation('notes')
  const close = () => {
    onClose()
    document.querySelector<HTMLElement>(`[data-note="${CSS.escape(note.id)}"] .nt-more`)?.focus()
  }
  return (
    <div
      className="nt nt-whole nopan nodrag nowheel"
      role="dialog"
      aria-label={t('title')}
      data-colour={note.colour || undefined}
      style={{ transform: `translate(${note.x}px, ${note.y}px)`, width: Math.max(note.w, 240), minHeight: note.h }}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return
        event.stopPropagation()
        close()
      }}
    >
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard */}
      <div className="nt-text" tabIndex={0}>
        {note.text}
      </div>
      {/* biome-ignore lint/a11y/noAutofocus: who has opened it closes it from here */}
      <button type="button" className="nt-more" autoFocus aria-label={t('close')} title={t('close')} onClick={close}>
        <IconX size={13} stroke={2.4} aria-hidden />
      </button>
    </div>
  )
}
