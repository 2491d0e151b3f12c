import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import type { Plugin } from '~/api/types'
import { Canvas } from '~/canvas/canvas'
import { CanvasContext, type CanvasInfo, useCanvasInfo } from '~/canvas/context'
import type { View } from '~/canvas/rf'
import type { Selection } from '~/ui/store'
import { KindIcon } from './counts'
import type { Overlaid } from './drawing'

interface Props {
  shown: Overlaid
  plugins: readonly Plugin[]
  /** The change that is looked at, by its id. */
  chosen: string | null
  onChoose(id: string | null): void
  onView(view: View): void
}

const nothing = new Map<string, never>()

/** The drawing of two states: what is new, changed, moved, and what is gone. */
export function DiffCanvas({ shown, plugins, chosen, onChoose, onView }: Props) {
  const { t } = useTranslation('versions')
  const info = useMemo<CanvasInfo>(
    () => ({
      mode: 'edit',
      plugins,
      problems: nothing,
      differs: { nodes: shown.nodes, edges: shown.edges },
      Over: Difference,
    }),
    [plugins, shown],
  )
  const selection = useMemo<Selection>(() => {
    const [, list, key] = chosen?.match(/^(nodes|edges)\/(.+)$/s) ?? []
    return {
      nodes: new Set(list === 'nodes' && key ? [key] : []),
      edges: new Set(list === 'edges' && key ? [key] : []),
    }
  }, [chosen])
  const select = (s: Selection) => {
    const [node, edge] = [[...s.nodes].at(-1), [...s.edges].at(-1)]
    onChoose(node ? `nodes/${node}` : edge ? `edges/${edge}` : null)
  }
  return (
    <CanvasContext value={info}>
      <div className="vs-canvas">
        <Canvas
          doc={shown.doc}
          selection={selection}
          editable={false}
          label={t('page.canvas')}
          onSelect={select}
          onView={onView}
          at={[...shown.nodes.keys()][0]}
        />
      </div>
    </CanvasContext>
  )
}

/** The frame and sign of a node that differs. */
function Difference({ id }: { id: string }) {
  const { t } = useTranslation('versions')
  const kind = useCanvasInfo().differs?.nodes.get(id)
  if (!kind) return null
  return (
    <span className="vs-frame" data-kind={kind}>
      <span role="img" aria-label={t(`kind.${kind}`)} title={t(`kind.${kind}`)}>
        <KindIcon kind={kind} />
      </span>
    </span>
  )
}
