import { useMantineColorScheme } from '@mantine/core'
import { useContext, useEffect, useMemo, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import type { FlowEdge, FlowNode, NodeState } from '~/api/types'
import { RunContext, ScopeContext } from '~/run/store'
import { type Differs, useCanvasInfo } from './context'
import { edgePath, hit, paint, readPalette } from './paint'
import { useTransform } from './rf'

interface Props {
  nodes: readonly FlowNode[]
  edges: readonly FlowEdge[]
  selected: ReadonlySet<string>
  onPick(id: string): void
}

/** What differs is drawn in the colours that states have; what is gone with the cross of what failed. */
const looks: Record<Differs, NodeState | undefined> = {
  added: 'succeeded',
  removed: 'failed',
  changed: 'waiting',
  moved: undefined,
}

/**
 * The whole flow on one <canvas>: what is shown when the view is too far out, or
 * too full, for nodes that can be read. It takes no pointer events except a
 * click, so that panning and zooming stay with the canvas below it.
 */
export function Overview({ nodes, edges, selected, onPick }: Props) {
  const { t } = useTranslation()
  const canvas = useRef<HTMLCanvasElement>(null)
  const transform = useTransform()
  const run = useContext(RunContext)
  const scope = useContext(ScopeContext)
  const { differs } = useCanvasInfo()
  const { colorScheme } = useMantineColorScheme()
  const lines = useMemo(() => edgePath(nodes, edges), [nodes, edges])

  // biome-ignore lint/correctness/useExhaustiveDependencies: the palette is read from the style sheet of the scheme
  const palette = useMemo(() => readPalette(), [colorScheme])

  useEffect(() => {
    const element = canvas.current
    if (!element) return
    const stateOf = (id: string) => {
      const kind = differs?.nodes.get(id)
      return kind ? looks[kind] : run?.node(scope + id)?.state
    }
    const draw = () => paint(element, { nodes, lines, selected, transform, palette, stateOf })
    draw()
    const off = run?.onAny(draw)
    const observer = new ResizeObserver(draw)
    observer.observe(element)
    return () => {
      off?.()
      observer.disconnect()
    }
  }, [nodes, lines, selected, transform, palette, run, scope, differs])

  useEffect(() => {
    const pane = canvas.current?.closest('.react-flow')?.querySelector<HTMLElement>('.react-flow__pane')
    if (!pane) return
    const click = (event: MouseEvent) => {
      const box = pane.getBoundingClientRect()
      const id = hit(nodes, transform, event.clientX - box.left, event.clientY - box.top)
      if (id) {
        event.stopPropagation()
        onPick(id)
      }
    }
    pane.addEventListener('click', click, true)
    return () => pane.removeEventListener('click', click, true)
  }, [nodes, transform, onPick])

  return (
    <canvas ref={canvas} className="cv-overview" role="img" aria-label={t('canvas.overview', { n: nodes.length })} />
  )
}
