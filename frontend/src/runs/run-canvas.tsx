import { Button } from '@mantine/core'
import { type MouseEvent, type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Flow, Plugin } from '~/api/types'
import { IconChevronRight, IconSitemap } from '~/app/icons'
import { Canvas } from '~/canvas/canvas'
import { CanvasContext, type CanvasInfo } from '~/canvas/context'
import { useNodeName } from '~/canvas/nodes'
import type { View } from '~/canvas/rf'
import { placed } from '~/doc/arrange'
import { childIn, flowIn, type PathNode, parentOf } from '~/doc/paths'
import { ScopeContext, useNeeds } from '~/run/store'
import type { Selection } from '~/ui/store'
import { useKeys } from './hotkeys'

const noEdges: ReadonlySet<string> = new Set()

interface Props {
  document: Flow
  plugins: readonly Plugin[]
  nodes: readonly PathNode[]
  scope: string
  chosen: string | undefined
  /** The node that a first view of the run's own flow shows. */
  opening: string | undefined
  /** A node to bring into view, anew with each turn. */
  reveal: { path: string; turn: number } | undefined
  quiet: boolean
  onChoose(path: string | undefined): void
  /** Shows another drawing; on the way out with the subflow that was left. */
  onEnter(scope: string, left?: string): void
  onNodeAction(path: string, what: 'retry' | 'skip' | 'confirm'): void
  children?: ReactNode
}

/** The drawing of the run, or of one of its subflows, with the way back. */
export function RunCanvas(props: Props) {
  const { document, plugins, nodes, scope, chosen, opening, reveal, quiet, onChoose, onEnter, onNodeAction } = props
  const { t } = useTranslation()
  const drawing = useDrawing(document, scope)
  const view = useRef<View | null>(null)
  const prefix = scope === '' ? '' : `${scope}.`
  const problems = useInside(scope)
  const child = chosen === undefined ? undefined : childIn(scope, chosen)
  const info = useMemo<CanvasInfo>(
    () => ({
      mode: 'run',
      plugins,
      problems,
      onNodeAction: (id, what) => onNodeAction(prefix + id, what),
    }),
    [plugins, problems, onNodeAction, prefix],
  )
  const selection = useMemo<Selection>(
    () => ({ nodes: new Set(child ? [child.slice(prefix.length)] : []), edges: noEdges }),
    [child, prefix],
  )
  const onSelect = useCallback(
    (s: Selection) => {
      const id = [...s.nodes].at(-1)
      onChoose(id === undefined ? undefined : prefix + id)
    },
    [onChoose, prefix],
  )
  const setView = useCallback((next: View) => {
    view.current = next
  }, [])
  useEffect(() => {
    const at = reveal && childIn(scope, reveal.path)
    if (at) view.current?.centre(at.slice(prefix.length))
  }, [reveal, scope, prefix])
  const enter = useCallback(
    (path: string | undefined) => path !== undefined && isOpenable(nodes, path) && onEnter(path),
    [nodes, onEnter],
  )
  useKeys([
    ['alt+ArrowDown', () => enter(chosen)],
    ['alt+ArrowUp', () => scope !== '' && onEnter(parentOf(scope), scope)],
  ])
  const doubleClick = (event: MouseEvent) => {
    const id = (event.target as Element).closest<HTMLElement>('.react-flow__node')?.dataset.id
    if (id !== undefined) enter(prefix + id)
  }
  const first = childIn(scope, chosen ?? opening ?? '')?.slice(prefix.length)
  return (
    <CanvasContext value={info}>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: a short cut; the bar and the panel have buttons */}
      <div className="rn-canvas" data-quiet={quiet} onDoubleClick={doubleClick}>
        <ScopeContext value={prefix}>
          {drawing && (
            <Canvas
              key={scope}
              at={first}
              doc={drawing}
              selection={selection}
              editable={false}
              label={t('canvas.labelRun')}
              onSelect={onSelect}
              onView={setView}
            >
              {props.children}
            </Canvas>
          )}
        </ScopeContext>
        <ScopeBar nodes={nodes} scope={scope} chosen={chosen} onEnter={onEnter} />
      </div>
    </CanvasContext>
  )
}

/** The subflows of the drawing inside which something failed or asks: they themselves only say that they run. */
function useInside(scope: string): CanvasInfo['problems'] {
  const { failed, asking } = useNeeds()
  // Failures of other drawings leave these marks as they are, and then the drawing is not told.
  const marks = JSON.stringify([marksIn(scope, failed), marksIn(scope, asking)])
  return useMemo(() => {
    const [errors, warnings] = JSON.parse(marks) as [string[], string[]]
    return new Map([...warnings.map((id) => [id, 'warning'] as const), ...errors.map((id) => [id, 'error'] as const)])
  }, [marks])
}

function marksIn(scope: string, paths: readonly string[]): string[] {
  const prefix = scope === '' ? 0 : scope.length + 1
  const deeper = paths.map((path) => [childIn(scope, path), path] as const)
  return [...new Set(deeper.flatMap(([child, path]) => (child && child !== path ? [child.slice(prefix)] : [])))]
}

/** What is drawn: null until its nodes have places. */
function useDrawing(document: Flow, scope: string): Flow | null {
  const [drawn, setDrawn] = useState<{ scope: string; flow: Flow } | null>(null)
  useEffect(() => {
    let gone = false
    const flow = flowIn(document, scope) ?? document
    void placed(flow).then((done) => !gone && setDrawn({ scope, flow: done }))
    return () => {
      gone = true
    }
  }, [document, scope])
  return drawn?.scope === scope ? drawn.flow : null
}

/** Whether a node is a subflow whose inside can be shown. */
export function isOpenable(nodes: readonly PathNode[], path: string): boolean {
  const entry = nodes.find((n) => n.path === path)
  return entry?.node.type === 'subflow' && nodes.some((n) => parentOf(n.path) === path)
}

/** Where the canvas is in the tree of subflows, and the way in and out. */
function ScopeBar({
  nodes,
  scope,
  chosen,
  onEnter,
}: {
  nodes: readonly PathNode[]
  scope: string
  chosen: string | undefined
  onEnter(scope: string, left?: string): void
}) {
  const { t } = useTranslation('console')
  const nameOf = useNodeName()
  const name = (path: string) => {
    const entry = nodes.find((n) => n.path === path)
    return entry ? nameOf(entry.node) : path
  }
  const steps = scope === '' ? [] : scope.split('.').map((_, i, all) => all.slice(0, i + 1).join('.'))
  const inside = chosen !== undefined && chosen !== scope && isOpenable(nodes, chosen) ? chosen : undefined
  if (steps.length === 0 && !inside) return null
  return (
    <nav className="rn-scope" aria-label={t('scope.label')}>
      {steps.length > 0 && (
        <ol>
          <li>
            <button type="button" onClick={() => onEnter('', childIn('', scope))}>
              {t('scope.root')}
            </button>
          </li>
          {steps.map((path) => (
            <li key={path}>
              <IconChevronRight size={13} aria-hidden />
              {path === scope ? (
                <span aria-current="location">{name(path)}</span>
              ) : (
                <button type="button" onClick={() => onEnter(path, childIn(path, scope))}>
                  {name(path)}
                </button>
              )}
            </li>
          ))}
        </ol>
      )}
      {inside && (
        <Button
          variant="default"
          size="compact-xs"
          leftSection={<IconSitemap size={13} aria-hidden />}
          aria-label={t('scope.openNamed', { name: name(inside) })}
          aria-keyshortcuts="Alt+ArrowDown"
          onClick={() => onEnter(inside)}
        >
          {t('scope.open')}
        </Button>
      )}
    </nav>
  )
}
