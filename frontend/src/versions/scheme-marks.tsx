import { ViewportPortal } from '@xyflow/react'
import { useTranslation } from 'react-i18next'
import type { Flow } from '~/api/types'
import { IconBan, IconCheck } from '~/app/icons'
import { rectOf } from '~/doc/graph'
import type { Change } from './compare'
import '~/editor/schemes.css'

/** What a scheme does now with the nodes that it treated otherwise, on the drawing: by a sign and words. */
export function SchemeMarks({ change, doc }: { change: Change | undefined; doc: Flow }) {
  const { t } = useTranslation('versions')
  const marked = new Map(change?.fields.filter((f) => f.path[0] === 'without').map((f) => [f.path[1], f]))
  return (
    <ViewportPortal>
      <div className="sch-marks">
        {doc.nodes.map((node) => {
          const field = marked.get(node.id)
          if (!field) return null
          const [now, was] = [field.after ?? field.before, field.after ? field.before : undefined]
          const out = now === 'skip'
          const { x, y, width, height } = rectOf(node)
          const Icon = out ? IconBan : IconCheck
          const word = (value: unknown) => t(value === 'skip' ? 'word.skip' : 'word.run')
          return (
            <div
              key={node.id}
              className="sch-mark"
              data-mark={out ? 'out' : 'in'}
              data-for={node.id}
              style={{ transform: `translate(${x}px, ${y}px)`, width, height }}
            >
              <span>
                <Icon size={13} stroke={2.5} aria-hidden />
                {was === undefined ? word(now) : `${word(was)} → ${word(now)}`}
              </span>
            </div>
          )
        })}
      </div>
    </ViewportPortal>
  )
}
