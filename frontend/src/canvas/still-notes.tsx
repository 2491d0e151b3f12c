import { ViewportPortal } from '@xyflow/react'
import { memo } from 'react'
import { useTranslation } from 'react-i18next'
import type { StickyNote } from '~/api/types'
import './notes.css'

/** Notes as they stand, under the nodes: they are read, and let the pointer through to the drawing. */
export const StillNotes = memo(function StillNotes({ notes }: { notes: readonly StickyNote[] }) {
  const { t } = useTranslation('notes')
  return (
    <ViewportPortal>
      <div className="nt-layer">
        {notes.map(({ id, text, x, y, w, h, colour }) => (
          <div
            key={id}
            className="nt"
            role="note"
            aria-label={t('title')}
            data-note={id}
            data-colour={colour || undefined}
            data-still="true"
            style={{ transform: `translate(${x}px, ${y}px)`, width: w, height: h }}
          >
            <div className="nt-text">{text}</div>
          </div>
        ))}
      </div>
    </ViewportPortal>
  )
})
