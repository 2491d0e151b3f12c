import { Button, SegmentedControl, Skeleton, Slider } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate, useRouterState } from '@tanstack/react-router'
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { ApiError, call, path } from '~/api/client'
import { queries } from '~/api/queries'
import type { Flow, JsonObject, Plugin } from '~/api/types'
import { useFormat } from '~/app/format'
import { IconPlayerPause, IconPlayerPlay, IconRefresh } from '~/app/icons'
import { ErrorNotice } from '~/app/notices'
import { Crumbs } from '~/app/shell'
import { Canvas } from '~/canvas/canvas'
import { CanvasContext, type CanvasInfo } from '~/canvas/context'
import type { View } from '~/canvas/rf'
import { placed } from '~/doc/arrange'
import { pathNodes, topOf } from '~/doc/paths'
import { defaultInputs } from '~/editor/inputs'
import { ProblemLines } from '~/editor/panel'
import { useText } from '~/i18n/text'
import { RunPill } from '~/run/states'
import { RunContext, useRun } from '~/run/store'
import { TimeContext } from '~/run/ticker'
import { axisOf, timeOf } from '~/timeline/axis'
import { Chart } from '~/timeline/chart'
import { TrackBook } from '~/timeline/tracks'
import type { Selection } from '~/ui/store'
import { type Playback, usePlayback } from './clock'
import { Player } from './player'
import { type Outcome, type Outcomes, type Report, scriptOf } from './script'
import { InputsSide, NodeSide } from './side'
import '~/runs/run.css'
import '~/runs/panel.css'
import './rehearse.css'

const route = getRouteApi('/p/$project/flows/$flow/dry-run')

/** Loads a version of a flow and lets it run in virtual time. */
export function RehearsalPage() {
  const { project, flow } = route.useParams()
  const { version } = route.useSearch()
  const { t } = useTranslation()
  const versions = useQuery({ ...queries.versions(project, flow), enabled: version === undefined })
  const latest = version ?? versions.data?.items[0]?.version ?? 0
  const found = useQuery({ ...queries.version(project, flow, latest), enabled: latest > 0 })
  const plugins = useQuery(queries.plugins(project))
  const [drawing, setDrawing] = useState<Flow | null>(null)
  const document = found.data?.document
  useEffect(() => {
    let gone = false
    if (document) void placed(document).then((doc) => !gone && setDrawing(doc))
    return () => {
      gone = true
    }
  }, [document])
  const error = document ? null : (found.error ?? versions.error)
  if (error) {
    return (
      <div className="page">
        <ErrorNotice error={error} onRetry={() => void (found.error ? found : versions).refetch()} />
      </div>
    )
  }
  if (!drawing || plugins.isPending) {
    return (
      <div className="page" role="status" aria-label={t('state.loading')}>
        <Skeleton height={360} radius="md" />
      </div>
    )
  }
  return <Rehearsal project={project} flow={flow} version={latest} drawing={drawing} plugins={plugins.data ?? []} />
}

interface Props {
  project: string
  flow: string
  version: number
  drawing: Flow
  plugins: readonly Plugin[]
}

type Below = 'time' | 'side'

const noEdges: ReadonlySet<string> = new Set()

function Rehearsal({ project, flow, version, drawing, plugins }: Props) {
  const { t } = useTranslation('rehearse')
  const text = useText()
  const { node: chosen } = route.useSearch()
  const navigate = useNavigate()
  const given = useRouterState({ select: (s) => s.location.state.inputs })
  const variables = useMemo(() => (drawing.variables ?? []).filter((v) => v.source === 'input'), [drawing])
  const [inputs, setInputs] = useState<JsonObject>(() => ({
    ...defaultInputs(variables),
    ...(given as JsonObject | undefined),
  }))
  const [outcomes, setOutcomes] = useState<Outcomes>(new Map())
  // On a phone one of them at a time is below the drawing.
  const [below, setBelow] = useState<Below>('time')
  useEffect(() => setBelow(chosen ? 'side' : 'time'), [chosen])
  const view = useRef<View | null>(null)
  const report = useReport(project, flow, version, inputs, outcomes)
  const shown = report.data
  const player = useMemo(
    () => new Player(shown?.run ?? emptyRun(project, flow, version), shown?.records ?? []),
    [shown, project, flow, version],
  )
  const history = useMemo(() => historyOf(shown), [shown])
  // There from the begin, so that the drawing does not shrink under its first view.
  const timed = report.isPending || history.tracks.length > 0
  const playback = usePlayback(shown)
  const time = timeOf(history.axis, playback.place)
  useEffect(() => {
    player.show(playback.place >= 1 ? Number.POSITIVE_INFINITY : time)
  }, [player, time, playback.place])
  const nodes = useMemo(() => pathNodes(drawing), [drawing])
  const entry = nodes.find((n) => n.path === chosen)
  const choose = useCallback(
    (id: string | undefined) =>
      void navigate({ to: '.', search: (old) => ({ ...old, node: id }), state: (old) => old, replace: true }),
    [navigate],
  )
  const goTo = (id: string) => {
    choose(id)
    view.current?.centre(topOf(id))
  }
  const onSelect = useCallback((s: Selection) => choose([...s.nodes].at(-1)), [choose])
  const selection = useMemo<Selection>(
    () => ({ nodes: new Set(chosen ? [topOf(chosen)] : []), edges: noEdges }),
    [chosen],
  )
  const info = useMemo<CanvasInfo>(
    () => ({ mode: 'run', plugins, problems: new Map(), onNodeAction: (id) => choose(id) }),
    [plugins, choose],
  )
  const setOutcome = (node: string, outcome: Outcome) => {
    const next = new Map(outcomes)
    if (outcome === 'succeed') next.delete(node)
    else next.set(node, outcome)
    setOutcomes(next)
  }
  const refused = report.error instanceof ApiError ? report.error.body : null
  return (
    <CanvasContext value={info}>
      <TimeContext value={time}>
        <RunContext value={player.store}>
          <Crumbs>
            <span className="sep shell-wide">/</span>
            <Link to="/p/$project/flows/$flow" params={{ project, flow }} className="clip" aria-label={t('back')}>
              {text(drawing.name)}
            </Link>
            <span className="sep">/</span>
            <span aria-current="page">{t('title')}</span>
          </Crumbs>
          <div className="rn rh" data-below={timed ? below : 'side'}>
            <Transport
              playback={playback}
              elapsed={Math.min(time, history.end) - history.begin}
              total={history.end - history.begin}
              ready={shown !== undefined}
            />
            {refused?.problems && <ProblemLines problems={refused.problems} />}
            {report.error && !refused?.problems && (
              <ErrorNotice error={report.error} onRetry={() => void report.refetch()} />
            )}
            {shown?.stopped && (
              <p className="rn-strip" data-s="waiting">
                {t('stopped', { message: shown.stopped.message })}
              </p>
            )}
            <div className="rn-grid">
              <div className="rn-canvas">
                <Canvas
                  at={chosen ? topOf(chosen) : undefined}
                  doc={drawing}
                  selection={selection}
                  editable={false}
                  label={t('canvas')}
                  onSelect={onSelect}
                  onView={(next) => {
                    view.current = next
                  }}
                />
              </div>
              {entry ? (
                <NodeSide
                  key={entry.path}
                  entry={entry}
                  outcome={outcomes.get(entry.path) ?? 'succeed'}
                  onOutcome={(o) => setOutcome(entry.path, o)}
                  onClose={() => choose(undefined)}
                />
              ) : (
                <InputsSide
                  variables={variables}
                  value={inputs}
                  busy={report.isFetching}
                  failing={outcomes.size}
                  report={shown}
                  onRun={setInputs}
                  onReset={() => setOutcomes(new Map())}
                />
              )}
            </div>
            {timed && (
              <div className="rn-drawer tl">
                <Chart
                  tracks={history.tracks}
                  nodes={nodes}
                  chosen={chosen}
                  begin={history.begin}
                  end={history.end}
                  squeeze
                  zoom={1}
                  mark={time}
                  onChoose={goTo}
                />
              </div>
            )}
            {timed && (
              <SegmentedControl
                className="rh-below"
                aria-label={t('below')}
                fullWidth
                radius={0}
                value={below}
                onChange={(v) => setBelow(v as Below)}
                data={[
                  { value: 'time', label: t('timeline') },
                  { value: 'side', label: t(entry ? 'node' : 'sides') },
                ]}
              />
            )}
          </div>
        </RunContext>
      </TimeContext>
    </CanvasContext>
  )
}

interface TransportProps {
  playback: Playback
  elapsed: number
  total: number
  ready: boolean
}

/** Plays, stops and seeks. */
function Transport({ playback, elapsed, total, ready }: TransportProps) {
  const { t } = useTranslation('rehearse')
  const format = useFormat()
  const run = useRun()
  const over = playback.place >= 1
  const name = playback.playing ? t('pause') : t(over ? 'again' : 'play')
  return (
    <div className="rn-head">
      <span className="rh-badge">{t('badge')}</span>
      <RunPill state={run.state} />
      <Button
        size="compact-sm"
        disabled={!ready}
        leftSection={
          playback.playing ? (
            <IconPlayerPause size={14} aria-hidden />
          ) : over ? (
            <IconRefresh size={14} aria-hidden />
          ) : (
            <IconPlayerPlay size={14} aria-hidden />
          )
        }
        onClick={playback.playing ? playback.pause : playback.play}
      >
        {name}
      </Button>
      <Slider
        className="rh-slider"
        thumbLabel={t('moment')}
        thumbProps={{ 'aria-valuetext': format.duration(elapsed) } as object}
        min={0}
        max={1000}
        step={1}
        label={null}
        size="sm"
        disabled={!ready}
        value={Math.round(playback.place * 1000)}
        onChange={(v) => playback.seek(v / 1000)}
      />
      <span className="num rh-time">
        {t('elapsed', { time: format.duration(elapsed) })}{' '}
        <span className="quiet">{t('of', { time: format.duration(total) })}</span>
      </span>
      <SegmentedControl
        className="rh-speed"
        aria-label={t('speed')}
        size="xs"
        value={String(playback.speed)}
        onChange={(v) => playback.setSpeed(Number(v))}
        data={['0.5', '1', '4'].map((value) => ({ value, label: `${value}×` }))}
      />
    </div>
  )
}

/** Asks the server what would happen; another question is another dry run. */
function useReport(project: string, flow: string, version: number, inputs: JsonObject, outcomes: Outcomes) {
  const script = useMemo(() => scriptOf(inputs, outcomes), [inputs, outcomes])
  return useQuery({
    queryKey: ['dry-run', project, flow, version, script],
    queryFn: ({ signal }) =>
      call<Report>(path('projects', project, 'flows', flow, 'simulate'), {
        method: 'POST',
        body: { version, script, records: true },
        signal,
      }),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
    retry: false,
    refetchOnWindowFocus: false,
  })
}

/** The tracks of a report, and the time they lie in. */
function historyOf(report: Report | undefined) {
  const book = new TrackBook()
  book.add(report?.records ?? [])
  const begin = report ? Date.parse(report.begin) : 0
  const end = begin + Math.max(1, report?.elapsed_ms ?? 0)
  return { tracks: book.tracks, begin, end, axis: axisOf(book.tracks, begin, end, true) }
}

function emptyRun(project: string, flow: string, version: number) {
  return {
    id: '',
    name: '',
    project,
    flow,
    version,
    state: 'created' as const,
    seq: 0,
    operator: '',
    created_at: new Date(0).toISOString(),
    nodes: {},
  }
}
