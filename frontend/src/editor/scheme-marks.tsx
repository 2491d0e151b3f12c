import { ViewportPortal } from '@xyflow/react'
import { type RefObject, useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import { IconBan, IconCheck } from '~/app/icons'
import { rectOf } from '~/doc/graph'
import { useDoc, useDocStore } from '~/doc/store'
import { useText } from '~/i18n/text'
import { toggleChosen } from './choosing'
import './schemes.css'

interface Props {
  scheme: string
  box: RefObject<HTMLElement | null>
}

/** What the open scheme does, on the drawing: which optional nodes run, by a sign and words. */
export function SchemeMarks({ scheme, box }: Props) {
  const { t } = useTranslation('schemes')
  const doc = useDoc((s) => s.doc)
  const text = useText()
  const shown = doc.schemes?.find((s) => s.id === scheme)
  useClicks(box)
  if (!shown) return null
  const out = new Set(shown.without)
  return (
    <ViewportPortal>
      <div className="sch-marks">
        {doc.nodes.map((node) => {
          const { x, y, width, height } = rectOf(node)
          const left = out.has(node.id)
          const Icon = left ? IconBan : IconCheck
          return (
            <div
              key={node.id}
              className="sch-mark"
              data-mark={node.optional ? (left ? 'out' : 'in') : 'always'}
              data-for={node.id}
              style={{ transform: `translate(${x}px, ${y}px)`, width, height }}
            >
              {node.optional && (
                <span>
                  <Icon size={13} stroke={2.5} aria-hidden />
                  {t(left ? 'leftOut' : 'willRun')}
                </span>
              )}
            </div>
          )
        })}
      </div>
      <span className="sch-said" role="status">
        {t('said', { name: text(shown.name) || shown.id, n: out.size })}
      </span>
    </ViewportPortal>
  )
}

/** A node under the pointer, or with the keyboard, is turned on or off instead of selected. */
function useClicks(box: RefObject<HTMLElement | null>): void {
  const store = useDocStore()
  useEffect(() => {
    const element = box.current
    if (!element) return
    const turned = (event: Event) => {
      const node = (event.target as Element | null)?.closest?.('.react-flow__node')?.getAttribute('data-id')
      if (!node) return
      event.stopPropagation()
      event.preventDefault()
      toggleChosen(store, node)
    }
    const key = (event: KeyboardEvent) => {
      if (event.key === 'Enter' || event.key === ' ') turned(event)
    }
    element.addEventListener('click', turned, true)
    element.addEventListener('keydown', key, true)
    return () => {
      element.removeEventListener('click', turned, true)
      element.removeEventListener('keydown', key, true)
    }
  }, [box, store])
}
