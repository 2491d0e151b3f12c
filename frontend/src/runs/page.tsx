import { Button, Skeleton } from '@mantine/core'
import { useHotkeys, useLocalStorage, useMediaQuery } from '@mantine/hooks'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { queries } from '~/api/queries'
import type { Flow, Plugin, RunDetail } from '~/api/types'
import { ErrorNotice } from '~/app/notices'
import { Canvas } from '~/canvas/canvas'
import { CanvasContext, type CanvasInfo } from '~/canvas/context'
import type { View } from '~/canvas/rf'
import { placed } from '~/doc/arrange'
import { pathNodes, topOf } from '~/doc/paths'
import { follow, type Link } from '~/run/live'
import { RunContext, RunStore } from '~/run/store'
import type { Selection } from '~/ui/store'
import type { NodeAct } from './actions'
import { RunHeader } from './header'
import { NodeDialog, Timeline } from './lazy'
import { NodeList } from './node-list'
import { NodePanel } from './node-panel'
import { OverviewPanel } from './overview-panel'
import { FailureStrip } from './strip'
import './run.css'

const route = getRouteApi('/p/$project/runs/$run')

/** Loads a run and opens its console. */
export function RunPage() {
  const { project, run } = route.useParams()
  const detail = useQuery(queries.run(project, run))
  const plugins = useQuery(queries.plugins(project))
  const { t } = useTranslation()
  if (detail.error) {
    return (
      <div className="page">
        <ErrorNotice error={detail.error} onRetry={() => void detail.refetch()} />
      </div>
    )
  }
  if (!detail.data || plugins.isPending) {
    return (
      <div className="page" role="status" aria-label={t('state.loading')}>
        <Skeleton height={360} radius="md" />
      </div>
    )
  }
  // A snapshot that was loaded anew begins a new console.
  return (
    <Opened
      key={`${run}/${detail.dataUpdatedAt}`}
      project={project}
      detail={detail.data}
      plugins={plugins.data ?? []}
    />
  )
}

function Opened({ project, detail, plugins }: { project: string; detail: RunDetail; plugins: readonly Plugin[] }) {
  const [store] = useState(() => new RunStore(detail))
  const [link, setLink] = useState<Link>('connecting')
  const [drawing, setDrawing] = useState<Flow | null>(null)
  const client = useQueryClient()
  useEffect(() => {
    const onLost = () =>
      void client.invalidateQueries({ queryKey: queries.run(project, detail.id).queryKey, exact: true })
    return follow({ project, run: detail.id, store, onLink: setLink, onLost })
  }, [project, detail.id, store, client])
  useEffect(() => {
    let gone = false
    void placed(detail.document).then((doc) => !gone && setDrawing(doc))
    return () => {
      gone = true
    }
  }, [detail.document])
  if (!drawing) return null
  return (
    <RunContext value={store}>
      <Console project={project} detail={detail} drawing={drawing} plugins={plugins} store={store} link={link} />
    </RunContext>
  )
}

interface ConsoleProps {
  project: string
  detail: RunDetail
  drawing: Flow
  plugins: readonly Plugin[]
  store: RunStore
  link: Link
}

const noEdges: ReadonlySet<string> = new Set()

function Console({ project, detail, drawing, plugins, store, link }: ConsoleProps) {
  const { t } = useTranslation()
  const { node: chosen } = route.useSearch()
  const navigate = useNavigate()
  const view = useRef<View | null>(null)
  const narrow = useMediaQuery('(max-width: 700px)') ?? false
  const [showList, setShowList] = useState(true)
  const [timeline, setTimeline] = useLocalStorage({ key: 'culm.timeline', defaultValue: false })
  useHotkeys([['t', () => setTimeline((shown) => !shown)]])
  const [act, setAct] = useState<{ node: string; act: NodeAct } | null>(null)
  const nodes = useMemo(() => pathNodes(drawing), [drawing])
  const entry = nodes.find((n) => n.path === chosen)

  const choose = useCallback(
    (id: string | undefined) => void navigate({ to: '.', search: id ? { node: id } : {}, replace: true }),
    [navigate],
  )
  const onSelect = useCallback((s: Selection) => choose([...s.nodes].at(-1)), [choose])
  const goTo = useCallback(
    (id: string) => {
      choose(id)
      view.current?.centre(topOf(id))
    },
    [choose],
  )
  const onNodeAction = useCallback(
    (id: string, what: 'retry' | 'skip' | 'confirm') =>
      what === 'confirm' ? goTo(id) : setAct({ node: id, act: what }),
    [goTo],
  )
  const info = useMemo<CanvasInfo>(
    () => ({ mode: 'run', plugins, problems: new Map(), onNodeAction }),
    [plugins, onNodeAction],
  )
  const selection = useMemo<Selection>(
    () => ({ nodes: new Set(chosen ? [topOf(chosen)] : []), edges: noEdges }),
    [chosen],
  )
  const setView = useCallback((next: View) => {
    view.current = next
  }, [])
  useNextFailure(store, goTo, chosen)
  // The console opens where something happens.
  const [opening] = useState(() => store.hotspot())
  return (
    <CanvasContext value={info}>
      <div className="rn">
        <RunHeader project={project} detail={detail} total={nodes.length} link={link}>
          <Button variant="default" size="compact-xs" aria-pressed={timeline} onClick={() => setTimeline(!timeline)}>
            {t('run.timeline')} <kbd>T</kbd>
          </Button>
        </RunHeader>
        <FailureStrip chosen={chosen} onGo={goTo} />
        <div className="rn-grid" data-node={entry !== undefined}>
          {(!narrow || showList) && (
            <NodeList
              nodes={nodes}
              chosen={chosen}
              onChoose={goTo}
              onCanvas={narrow ? () => setShowList(false) : undefined}
            />
          )}
          {(!narrow || !showList) && (
            <div className="rn-canvas">
              <Canvas
                at={topOf(chosen ?? opening ?? '') || undefined}
                doc={drawing}
                selection={selection}
                editable={false}
                label={t('canvas.labelRun')}
                onSelect={onSelect}
                onView={setView}
              >
                {narrow && (
                  <button type="button" className="rn-back" onClick={() => setShowList(true)}>
                    {t('run.showList')}
                  </button>
                )}
              </Canvas>
            </div>
          )}
          {entry ? (
            <NodePanel
              key={entry.path}
              project={project}
              run={detail.id}
              entry={entry}
              onAct={(a) => setAct({ node: entry.path, act: a })}
              onClose={() => choose(undefined)}
            />
          ) : (
            !narrow && <OverviewPanel project={project} detail={detail} />
          )}
        </div>
        {timeline && (
          <div className="rn-drawer">
            <Timeline
              project={project}
              run={detail.id}
              nodes={nodes}
              chosen={chosen}
              onChoose={goTo}
              onClose={() => setTimeline(false)}
            />
          </div>
        )}
        {act && (
          <NodeDialog
            project={project}
            run={detail.id}
            act={act.act}
            entry={nodes.find((n) => n.path === act.node)}
            nodes={nodes}
            onClose={() => setAct(null)}
          />
        )}
      </div>
    </CanvasContext>
  )
}

/** F8 leads from failure to failure, and to those who wait for an answer. */
function useNextFailure(store: RunStore, goTo: (id: string) => void, chosen: string | undefined): void {
  useEffect(() => {
    const down = (event: KeyboardEvent) => {
      if (event.key !== 'F8') return
      event.preventDefault()
      const next = nextOf([...store.summary.failed, ...store.summary.asking], chosen)
      if (next) goTo(next)
    }
    document.addEventListener('keydown', down)
    return () => document.removeEventListener('keydown', down)
  }, [store, goTo, chosen])
}

/** The entry behind the given one, going round. */
export function nextOf(ids: readonly string[], after: string | undefined): string | undefined {
  const at = after === undefined ? -1 : ids.indexOf(after)
  return ids[(at + 1) % ids.length]
}
