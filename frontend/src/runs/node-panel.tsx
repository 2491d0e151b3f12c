import { ActionIcon, Button, Select, Tabs, Tooltip } from '@mantine/core'
import { useClipboard } from '@mantine/hooks'
import { Link } from '@tanstack/react-router'
import { useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import type { Attempt, Failure, LogLine, NodeView } from '~/api/types'
import { useFormat } from '~/app/format'
import { IconCheck, IconLink, IconPlayerPause, IconSitemap, IconX } from '~/app/icons'
import { ErrorNotice } from '~/app/notices'
import { useNodeName } from '~/canvas/nodes'
import type { PathNode } from '~/doc/paths'
import { useCodes } from '~/i18n/codes'
import { NodePill } from '~/run/glyph'
import { useNodeRun, useRun } from '~/run/store'
import { useNow } from '~/run/ticker'
import type { NodeAct } from './actions'
import { useBy } from './by'
import { useNodeDetail } from './detail'
import { JsonView } from './json-view'
import { Answer, Calls, History, LogView, preloadForm, Recordings, Values } from './lazy'
import { Operations } from './operations'
import type { Moves, Place } from './place'
import { runsBelow } from './preconditions'
import { isOpenable } from './run-canvas'

interface Props {
  project: string
  run: string
  entry: PathNode
  nodes: readonly PathNode[]
  place: Place
  moves: Moves
  onAct(act: NodeAct): void
  onEnter(scope: string): void
  onClose(): void
}

/** Everything about one node of a run. */
export function NodePanel({ project, run, entry, nodes, place, moves, onAct, onEnter, onClose }: Props) {
  const { t } = useTranslation()
  const { t: own } = useTranslation('console')
  const { node, path } = entry
  const name = useNodeName()(node)
  const view = useNodeRun(path)
  const reached = view !== undefined && view.state !== 'idle'
  const whole = useRun()
  const { data, error, refetch } = useNodeDetail(project, run, path, place.tab === 'calls')
  const attempts = data?.attempts ?? []
  const attempt = attempts.find((a) => keyOf(a) === place.attempt) ?? attempts.at(-1)
  const waits = view?.state === 'waiting' ? view.wait : undefined
  const failed = view?.state === 'failed'
  useEffect(() => {
    if (failed) preloadForm() // a retry may change the inputs
  }, [failed])
  return (
    <aside className="rn-panel" aria-label={name}>
      <PanelHead name={name} path={path} view={reached ? view : undefined} onClose={onClose} />
      {(waits?.kind === 'human' || waits?.kind === 'callback') && (
        <div className="rn-asks">
          <Answer project={project} run={run} node={path} wait={waits} />
        </div>
      )}
      <Operations project={project} run={run} entry={entry} nodes={nodes} view={view} onAct={onAct} />
      {isOpenable(nodes, path) && (
        <div className="rn-ops">
          <Button
            variant="default"
            leftSection={<IconSitemap size={14} aria-hidden />}
            onClick={() => onEnter(path)}
            aria-keyshortcuts="Alt+ArrowDown"
          >
            {own('scope.open')}
          </Button>
        </div>
      )}
      {view?.held && (
        <p className="rn-note rn-held">
          <IconPlayerPause size={14} aria-hidden /> {t(runsBelow(node, view) ? 'node.childHeld' : 'node.held')}
        </p>
      )}
      {error && <ErrorNotice error={error} onRetry={() => void refetch()} />}
      {!reached && <p className="quiet rn-body">{t('node.notReached')}</p>}
      {attempts.length > 1 && (
        <div className="rn-attempt">
          <Select
            aria-label={t('node.attempts')}
            data={attempts.map((a) => ({ value: keyOf(a), label: labelOf(a) })).reverse()}
            value={attempt ? keyOf(attempt) : null}
            allowDeselect={false}
            onChange={(value) =>
              moves.turn({ attempt: value === lastKey(attempts) ? undefined : (value ?? undefined) })
            }
          />
        </div>
      )}
      {reached && (
        <Tabs
          value={tabs.find((tab) => tab === place.tab) ?? 'overview'}
          onChange={(tab) => moves.turn({ tab: tab === 'overview' ? '' : (tab ?? '') })}
          keepMounted={false}
          className="pn-tabs"
        >
          <Tabs.List>
            {tabs.map((tab) => (
              <Tabs.Tab key={tab} value={tab}>
                {t(`node.${tab}`)}
              </Tabs.Tab>
            ))}
          </Tabs.List>
          <Tabs.Panel value="overview">
            <Facts
              project={project}
              entry={entry}
              view={view}
              attempt={attempt}
              current={attempt === attempts.at(-1)}
            />
          </Tabs.Panel>
          {(['inputs', 'outputs'] as const).map((side) => (
            <Tabs.Panel key={side} value={side}>
              <Values
                project={project}
                run={whole}
                node={path}
                side={side}
                attempt={attempt}
                attempts={attempts}
                labelOf={labelOf}
              />
            </Tabs.Panel>
          ))}
          <Tabs.Panel value="log">
            <LogView lines={attempt?.log ?? noLines} label={t('node.log')} />
          </Tabs.Panel>
          <Tabs.Panel value="calls">
            <Calls project={project} run={run} node={path} calls={attempt?.calls ?? []} />
          </Tabs.Panel>
          <Tabs.Panel value="history">
            <History attempts={attempts} onShow={(a) => moves.turn({ attempt: keyOf(a), tab: '' })} />
            {node.type === 'task' && <Recordings project={project} run={run} node={path} />}
          </Tabs.Panel>
        </Tabs>
      )}
    </aside>
  )

  function labelOf(a: Attempt): string {
    const state = t(`node.state.${a.state}`)
    return a.iteration > 0
      ? t('node.attemptIn', { n: a.attempt, iteration: a.iteration + 1, state })
      : t('node.attemptLine', { n: a.attempt, state })
  }
}

const noLines: readonly LogLine[] = []

const tabs = ['overview', 'inputs', 'outputs', 'log', 'calls', 'history'] as const

/** The name of the node, and a link to it as it is shown now. */
function PanelHead({
  name,
  path,
  view,
  onClose,
}: {
  name: string
  path: string
  view: NodeView | undefined
  onClose(): void
}) {
  const { t } = useTranslation()
  const { t: own } = useTranslation('console')
  const clipboard = useClipboard({ timeout: 1500 })
  return (
    <header className="pn-head">
      <div className="pn-title">
        <h2>{name}</h2>
        <div className="quiet mono clip">{path}</div>
      </div>
      {view && <NodePill view={view} />}
      <Tooltip label={own(clipboard.copied ? 'link.copied' : 'link.copy')}>
        <ActionIcon aria-label={own('link.copy')} onClick={() => clipboard.copy(location.href)}>
          {clipboard.copied ? <IconCheck size={15} aria-hidden /> : <IconLink size={15} aria-hidden />}
        </ActionIcon>
      </Tooltip>
      <span className="sr-only" role="status">
        {clipboard.copied ? own('link.copied') : ''}
      </span>
      <ActionIcon aria-label={t('action.close')} onClick={onClose}>
        <IconX size={16} aria-hidden />
      </ActionIcon>
    </header>
  )
}

function lastKey(attempts: readonly Attempt[]): string | undefined {
  const last = attempts.at(-1)
  return last && keyOf(last)
}

function keyOf(a: Attempt): string {
  return `${a.iteration}/${a.attempt}`
}

interface FactsProps {
  project: string
  entry: PathNode
  view: NodeView
  attempt: Attempt | undefined
  current: boolean
}

function Facts({ project, entry, view, attempt, current }: FactsProps) {
  const { t } = useTranslation()
  const { node } = entry
  const format = useFormat()
  const shown = current || !attempt ? view : attempt
  const active = shown.started_at !== undefined && shown.ended_at === undefined
  const now = useNow(active)
  const ms = shown.started_at
    ? (shown.ended_at ? Date.parse(shown.ended_at) : now) - Date.parse(shown.started_at)
    : undefined
  const failure = current ? (view.failure ?? attempt?.failure) : attempt?.failure
  return (
    <>
      {failure && <FailureBox failure={failure} />}
      {shown.state === 'unknown' && <p className="rn-note">{t('node.unknownHelp')}</p>}
      <dl className="rn-facts">
        <dt>{t('node.stateLabel')}</dt>
        <dd>{t(`node.state.${shown.state}`)}</dd>
        {shown.state === 'waiting' && shown.wait && (
          <>
            <dt>{t('node.waitsFor')}</dt>
            <dd>
              {t(`wait.long.${shown.wait.kind}`)}
              {shown.due && ` · ${format.when(shown.due)}`}
            </dd>
          </>
        )}
        <Moments shown={shown} />
        <dt>{t('node.attemptLabel')}</dt>
        <dd className="num">{shown.attempt}</dd>
        <Origins project={project} shown={shown} times={node.repeat?.times} />
        {shown.started_at && (
          <>
            <dt>{t('node.started')}</dt>
            <dd className="num">{format.full(shown.started_at)}</dd>
          </>
        )}
        {shown.ended_at && (
          <>
            <dt>{t('node.ended')}</dt>
            <dd className="num">{format.full(shown.ended_at)}</dd>
          </>
        )}
        {ms !== undefined && (
          <>
            <dt>{t('node.duration')}</dt>
            <dd className="num">{format.duration(active ? Math.floor(Math.max(0, ms) / 1000) * 1000 : ms)}</dd>
          </>
        )}
        {shown.progress && (
          <>
            <dt>{t('node.progress')}</dt>
            <dd>
              {shown.progress.percent}% {shown.progress.message}
            </dd>
          </>
        )}
        {node.plugin && (
          <>
            <dt>{t('node.action')}</dt>
            <dd className="mono">
              {node.plugin}.{node.action}
            </dd>
          </>
        )}
        {attempt?.digest && (
          <>
            <dt>{t('node.digest')}</dt>
            <dd className="mono clip" title={attempt.digest}>
              {attempt.digest}
            </dd>
          </>
        )}
      </dl>
    </>
  )
}

/** What comes by itself: the next try, the end of the attempt. */
function Moments({ shown }: { shown: NodeView | Attempt }) {
  const { t } = useTranslation()
  return (
    <>
      {shown.state === 'failed' && shown.due && (
        <>
          <dt>{t('node.nextRetry')}</dt>
          <dd>
            <Until at={shown.due} />
          </dd>
        </>
      )}
      {shown.deadline && shown.ended_at === undefined && (
        <>
          <dt>{t('node.deadline')}</dt>
          <dd>
            <Until at={shown.deadline} />
          </dd>
        </>
      )}
    </>
  )
}

/** How the attempt came about, and what it started. */
function Origins({ project, shown, times }: { project: string; shown: NodeView | Attempt; times: number | undefined }) {
  const { t } = useTranslation()
  const by = useBy()
  return (
    <>
      {shown.repeat !== undefined && (
        <>
          <dt>{t('node.repeat')}</dt>
          <dd className="num">
            {t('node.repeatN', { n: shown.repeat })}
            {times !== undefined && ` / ${times}`}
          </dd>
        </>
      )}
      {shown.by && (
        <>
          <dt>{t('node.byLabel')}</dt>
          <dd>{by(shown.by)}</dd>
        </>
      )}
      {shown.child && (
        <>
          <dt>{t('node.child')}</dt>
          <dd>
            <Link to="/p/$project/runs/$run" params={{ project, run: shown.child }}>
              {t('node.openChild')}
            </Link>
          </dd>
        </>
      )}
    </>
  )
}

/** A moment to come, and how long it is until then. */
function Until({ at }: { at: string }) {
  const format = useFormat()
  const left = Math.max(0, Math.ceil((Date.parse(at) - useNow(true)) / 1000)) * 1000
  return (
    <span className="num">
      {format.when(at)} · {format.duration(left)}
    </span>
  )
}

/** What went wrong, whose fault it is, and what to do about it. */
function FailureBox({ failure }: { failure: Failure }) {
  const { t } = useTranslation()
  const { t: own } = useTranslation('console')
  const codes = useCodes()
  const place = [failure.system, failure.operation].filter(Boolean).join('.')
  return (
    <section className="rn-failure" data-s="failed" aria-label={t('failureBox.title')}>
      <strong>{codes.failure(failure)}</strong>
      <dl className="rn-facts">
        {codes.failure(failure) !== failure.message && (
          <>
            <dt>{own('failure.words')}</dt>
            <dd>{failure.message}</dd>
          </>
        )}
        <dt>{t('failureBox.fault')}</dt>
        <dd>{t(`origin.name.${failure.origin ?? 'host'}`)}</dd>
        <dt>{t('failureBox.code')}</dt>
        <dd className="mono">{failure.code}</dd>
        {place && (
          <>
            <dt>{t('failureBox.operation')}</dt>
            <dd className="mono">
              {place}
              {failure.http_status ? ` · HTTP ${failure.http_status}` : ''}
            </dd>
          </>
        )}
        <Sending failure={failure} />
        <dt>{t('failureBox.todo')}</dt>
        <dd>
          {codes.advice(failure)} {failure.retryable ? t('failureBox.retryable') : ''}
        </dd>
      </dl>
      {failure.detail !== undefined && failure.detail !== null && (
        <JsonView value={failure.detail} label={t('failureBox.detail')} />
      )}
    </section>
  )
}

/** How the call that failed went out: what finds it in the logs of the other side. */
function Sending({ failure }: { failure: Failure }) {
  const { t } = useTranslation()
  const format = useFormat()
  return (
    <>
      {failure.request_id && (
        <>
          <dt>{t('failureBox.request')}</dt>
          <dd className="mono">{failure.request_id}</dd>
        </>
      )}
      {failure.attempts !== undefined && (
        <>
          <dt>{t('failureBox.sent')}</dt>
          <dd className="num">{t('failureBox.times', { n: failure.attempts })}</dd>
        </>
      )}
      {failure.retry_after_ms !== undefined && (
        <>
          <dt>{t('failureBox.wait')}</dt>
          <dd className="num">{format.duration(failure.retry_after_ms)}</dd>
        </>
      )}
    </>
  )
}
