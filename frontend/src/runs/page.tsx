import { Button, Skeleton } from '@mantine/core'
import { useLocalStorage, useMediaQuery } from '@mantine/hooks'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { useCallback, useEffect, useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { queries } from '~/api/queries'
import type { Plugin, RunDetail } from '~/api/types'
import { ErrorNotice } from '~/app/notices'
import { CanvasContext, type CanvasInfo } from '~/canvas/context'
import { flowIn, pathNodes } from '~/doc/paths'
import { follow, type Link } from '~/run/live'
import { RunContext, RunStore } from '~/run/store'
import type { NodeAct } from './actions'
import { RunHeader } from './header'
import { useKeys } from './hotkeys'
import { Alerts, KeysSheet, NodeDialog, RunDrawer } from './lazy'
import { NodeList } from './node-list'
import { NodePanel } from './node-panel'
import { OverviewPanel } from './overview-panel'
import { type Moves, usePlace } from './place'
import { RunCanvas } from './run-canvas'
import { type Sheet, sheetKeys, sheets } from './sheets'
import { FailureStrip } from './strip'
import './run.css'
import './panel.css'
import './values.css'
import './sheets.css'

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
  const client = useQueryClient()
  const info = useMemo<CanvasInfo>(() => ({ mode: 'run', plugins, problems: new Map() }), [plugins])
  useEffect(() => {
    const onLost = () =>
      void client.invalidateQueries({ queryKey: queries.run(project, detail.id).queryKey, exact: true })
    return follow({ project, run: detail.id, store, onLink: setLink, onLost })
  }, [project, detail.id, store, client])
  return (
    <RunContext value={store}>
      <CanvasContext value={info}>
        <Console project={project} detail={detail} plugins={plugins} store={store} link={link} />
      </CanvasContext>
    </RunContext>
  )
}

interface ConsoleProps {
  project: string
  detail: RunDetail
  plugins: readonly Plugin[]
  store: RunStore
  link: Link
}

function Console({ project, detail, plugins, store, link }: ConsoleProps) {
  const { t } = useTranslation()
  const [asked, moves] = usePlace()
  // An address may name a subflow that the run does not have.
  const place = flowIn(detail.document, asked.scope) ? asked : { ...asked, scope: '' }
  const narrow = useMediaQuery('(max-width: 700px)') ?? false
  const [showList, setShowList] = useState(true)
  const [sheet, setSheet] = useLocalStorage<Sheet | null>({ key: 'culm.sheet', defaultValue: null })
  const [quiet, setQuiet] = useLocalStorage({ key: 'culm.quiet', defaultValue: false })
  const [act, setAct] = useState<{ node: string; act: NodeAct } | null>(null)
  const nodes = useMemo(() => pathNodes(detail.document), [detail.document])
  const entry = nodes.find((n) => n.path === place.node)
  const [reveal, goTo] = useReveal(moves)
  const onNodeAction = useCallback(
    (id: string, what: 'retry' | 'skip' | 'confirm') =>
      what === 'confirm' ? goTo(id) : setAct({ node: id, act: what }),
    [goTo],
  )
  const enter = useCallback(
    (scope: string, left?: string) => {
      // On a phone the panel of a node lies over the canvas that was asked for.
      moves.enter(scope, narrow ? undefined : left)
      setShowList(false)
    },
    [moves, narrow],
  )
  const turnTo = (to: Sheet) => setSheet((old) => (old === to ? null : to))
  const [keys, setKeys] = useState(false)
  useKeys([
    ...sheets.map((s) => [sheetKeys[s], () => turnTo(s)] as const),
    ['h', () => setQuiet(!quiet)],
    ['shift+?', () => setKeys(true)],
  ])
  useNextFailure(store, goTo, place.node)
  // The console opens where something happens.
  const [opening] = useState(() => store.hotspot())
  return (
    <div className="rn">
      <RunHeader project={project} detail={detail} total={nodes.length} link={link}>
        <Alerts name={detail.name || detail.flow} nodes={nodes} onGo={goTo} />
        <SheetButtons sheet={sheet} narrow={narrow} onTurn={turnTo} />
      </RunHeader>
      <FailureStrip chosen={place.node} onGo={goTo} />
      <div className="rn-grid">
        {(!narrow || showList) && (
          <NodeList
            nodes={nodes}
            chosen={place.node}
            show={place.show}
            quiet={quiet}
            onChoose={goTo}
            onShow={moves.filter}
            onQuiet={setQuiet}
            onCanvas={narrow ? () => setShowList(false) : undefined}
          />
        )}
        {(!narrow || !showList) && (
          <RunCanvas
            document={detail.document}
            plugins={plugins}
            nodes={nodes}
            scope={place.scope}
            chosen={place.node}
            opening={opening}
            reveal={reveal}
            quiet={quiet}
            onChoose={moves.choose}
            onEnter={enter}
            onNodeAction={onNodeAction}
          >
            {narrow && (
              <button type="button" className="rn-back" onClick={() => setShowList(true)}>
                {t('run.showList')}
              </button>
            )}
          </RunCanvas>
        )}
        {entry ? (
          <NodePanel
            key={entry.path}
            project={project}
            run={detail.id}
            entry={entry}
            nodes={nodes}
            place={place}
            moves={moves}
            onAct={(a) => setAct({ node: entry.path, act: a })}
            onEnter={enter}
            onClose={() => moves.choose(undefined)}
          />
        ) : (
          !narrow && <OverviewPanel project={project} detail={detail} />
        )}
      </div>
      {sheet && (
        <div className="rn-drawer">
          <RunDrawer
            project={project}
            detail={detail}
            nodes={nodes}
            chosen={place.node}
            sheet={sheet}
            onSheet={setSheet}
            onChoose={goTo}
            onClose={() => setSheet(null)}
          />
        </div>
      )}
      {keys && <KeysSheet onClose={() => setKeys(false)} />}
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
  )
}

/** Chooses a node and brings it into view, even where it was chosen before. */
function useReveal(moves: Moves): [{ path: string; turn: number } | undefined, (path: string) => void] {
  const [reveal, setReveal] = useState<{ path: string; turn: number }>()
  const goTo = useCallback(
    (path: string) => {
      moves.choose(path)
      setReveal((old) => ({ path, turn: (old?.turn ?? 0) + 1 }))
    },
    [moves],
  )
  return [reveal, goTo]
}

/** Opens the sheets of the drawer; where there is little room one button opens it, and its tabs lead to the rest. */
function SheetButtons({ sheet, narrow, onTurn }: { sheet: Sheet | null; narrow: boolean; onTurn(to: Sheet): void }) {
  const { t } = useTranslation('console')
  return sheets.slice(0, narrow ? 1 : undefined).map((s) => (
    <Button
      key={s}
      variant="default"
      size="compact-xs"
      aria-pressed={sheet === s}
      aria-keyshortcuts={sheetKeys[s].toUpperCase()}
      onClick={() => onTurn(narrow && sheet ? sheet : s)}
    >
      {t(`sheet.${s}`)} <kbd aria-hidden>{sheetKeys[s].toUpperCase()}</kbd>
    </Button>
  ))
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
