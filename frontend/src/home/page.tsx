import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { queries } from '~/api/queries'
import type { Attention, FlowSummary, RunSummary } from '~/api/types'
import { useFormat } from '~/app/format'
import { IconPlayerPlay } from '~/app/icons'
import { EmptyState, ErrorNotice } from '~/app/notices'
import { Rows } from '~/app/rows'
import { Crumbs } from '~/app/shell'
import { useCodes } from '~/i18n/codes'
import { useText } from '~/i18n/text'
import { nodeIcon, RunPill } from '~/run/states'
import { useNow } from '~/run/ticker'
import { attentionQuery, live, partMax, runsPart } from './queries'
import './home.css'

const route = getRouteApi('/p/$project')

/** What waits for the operator, what failed, what runs: what he looks at first. */
export function HomePage() {
  const { t: common } = useTranslation()
  const { project } = route.useParams()
  const projects = useQuery(queries.projects())
  const name = projects.data?.items.find((p) => p.id === project)?.name
  // Said once, and not by every part of the page.
  if (projects.data && !projects.data.next && name === undefined) {
    return (
      <div className="page">
        <EmptyState title={common('shell.notFound')} action={<a href="/">{common('shell.home')}</a>} />
      </div>
    )
  }
  return (
    <div className="page hm">
      <Crumbs>
        <span className="sep shell-wide">/</span>
        <span aria-current="page">{common('nav.home')}</span>
      </Crumbs>
      <div className="page-head">
        <h1>{name ?? project}</h1>
      </div>
      <div className="hm-grid">
        <div className="hm-column">
          <Needs project={project} need="answer" />
          <Runs project={project} part="running" />
        </div>
        <div className="hm-column">
          <Needs project={project} need="decision" />
          <Runs project={project} part="ended" />
          <Recent project={project} />
        </div>
      </div>
    </div>
  )
}

interface PartProps {
  title: string
  count?: string
  /** A state whose colour the number has while it is not zero. */
  state?: string
  all?: ReactNode
  query: { isPending: boolean; error: unknown; refetch(): unknown }
  empty: boolean
  none: string
  hint?: string
  children: ReactNode
}

/** A part of the page: a heading with a number, rows below it. */
function Part({ title, count, state, all, query, empty, none, hint, children }: PartProps) {
  return (
    <section className="hm-part" aria-label={title}>
      <header>
        <h2>{title}</h2>
        {count !== undefined && (
          <span className="hm-count num" data-s={count === '0' ? undefined : state}>
            {count}
          </span>
        )}
        <span className="grow" />
        {all}
      </header>
      {query.isPending && <Rows />}
      {query.error !== null && <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />}
      {!query.isPending && query.error === null && empty && (
        <div className="hm-none">
          {none}
          {hint && <div className="quiet">{hint}</div>}
        </div>
      )}
      {!empty && <ul>{children}</ul>}
    </section>
  )
}

/** How many rows a part has after "more" was pressed: as many as the server gives at once. */
const longMax = 200

/** What waits for an answer, or stands still at a failure. */
function Needs({ project, need }: { project: string; need: Attention['need'] }) {
  const { t } = useTranslation('home')
  const [limit, setLimit] = useState(partMax)
  const query = useQuery(attentionQuery(project, need, limit))
  const items = query.data?.items ?? []
  const answer = need === 'answer'
  const part = answer ? 'answers' : 'decisions'
  const n = query.data?.[part] ?? 0
  const rest = items.reduce((left, a) => left - 1 - (a.more ?? 0), n)
  return (
    <Part
      title={t(part)}
      count={query.data && String(n)}
      state={answer ? 'waiting' : 'failed'}
      query={query}
      empty={items.length === 0}
      none={t(`${part}None`)}
      hint={t(`${part}Hint`)}
      all={!answer && <All project={project} state="blocked" title={t(part)} />}
    >
      {items.map((a) => (
        <NodeRow key={`${a.run} ${a.node}`} project={project} item={a} />
      ))}
      {rest > 0 && limit < longMax && (
        <li>
          <button type="button" className="hm-more" onClick={() => setLimit(longMax)}>
            {t('more', { n: rest })}
          </button>
        </li>
      )}
    </Part>
  )
}

function All({ project, state, title }: { project: string; state: string; title: string }) {
  const { t } = useTranslation('home')
  return (
    <Link
      to="/p/$project/runs"
      params={{ project }}
      search={{ state }}
      className="hm-all"
      aria-label={`${t('all')}: ${title}`}
    >
      {t('all')}
    </Link>
  )
}

/** A node that needs a person; the whole row leads to it. */
function NodeRow({ project, item }: { project: string; item: Attention }) {
  const { t } = useTranslation('home')
  const text = useText()
  const codes = useCodes()
  const format = useFormat()
  const now = useNow(true)
  const answer = item.need === 'answer'
  const Icon = nodeIcon({ state: item.state, wait: answer ? { kind: 'human' } : undefined })
  const node = text(item.node_name) || item.node
  const run = item.run_name || text(item.flow_name)
  const told = answer ? text(item.prompt) : item.failure ? codes.failure(item.failure) : ''
  const time = format.age(now - Date.parse(item.since))
  return (
    <li>
      <Link
        className="hm-row"
        data-s={item.state}
        to="/p/$project/runs/$run"
        params={{ project, run: item.run }}
        search={{ node: item.node }}
        aria-label={t('open', { node, run })}
      >
        <span className="hm-disc">
          <Icon size={14} stroke={2.2} aria-hidden />
        </span>
        <span className="hm-text">
          <strong className="clip">{node}</strong>
          {told && <span className="hm-told clip">{told}</span>}
          <span className="quiet clip">
            {run}
            {item.more ? ` · ${t('others', { n: item.more })}` : ''}
          </span>
        </span>
        <time className="quiet num" dateTime={item.since} title={format.full(item.since)}>
          {answer ? t('since', { time }) : t('ago', { time })}
        </time>
      </Link>
    </li>
  )
}

const hourMs = 3_600_000

/** From when on failed runs are shown: to the hour, so that the question stays the same. */
const lastDay = () => new Date((Math.floor(Date.now() / hourMs) - 24) * hourMs).toISOString()

/** The runs that are under way, or that failed in the last day. */
function Runs({ project, part }: { project: string; part: 'running' | 'ended' }) {
  const { t } = useTranslation('home')
  const running = part === 'running'
  const state = running ? part : 'failed'
  const more = running ? '&state=suspended' : `&from=${lastDay()}`
  const query = useQuery(runsPart(project, `state=${state}${more}`))
  const items = query.data?.items ?? []
  return (
    <Part
      title={t(part)}
      count={query.data && `${items.length}${query.data.next ? '+' : ''}`}
      state={state}
      query={query}
      empty={items.length === 0}
      none={t(`${part}None`)}
      all={<All project={project} state={running ? 'running,suspended' : state} title={t(part)} />}
    >
      {items.map((r) => (
        <RunRow key={r.id} project={project} run={r} />
      ))}
    </Part>
  )
}

function RunRow({ project, run }: { project: string; run: RunSummary }) {
  const { t } = useTranslation('home')
  const text = useText()
  const format = useFormat()
  const now = useNow(true)
  const at = run.ended_at ?? run.created_at
  const time = format.age(now - Date.parse(at))
  return (
    <li>
      <Link className="hm-row" to="/p/$project/runs/$run" params={{ project, run: run.id }}>
        <RunPill state={run.state} />
        <span className="hm-text">
          <strong className="clip">{run.name || text(run.flow_name)}</strong>
          <span className="quiet clip">{text(run.flow_name)}</span>
        </span>
        <time className="quiet num" dateTime={at} title={format.full(at)}>
          {run.ended_at ? t('ago', { time }) : time}
        </time>
      </Link>
    </li>
  )
}

function Recent({ project }: { project: string }) {
  const { t } = useTranslation('home')
  const query = useQuery({ ...queries.flows(project, ''), meta: live })
  const items = recent(query.data?.items ?? [])
  return (
    <Part
      title={t('recent')}
      query={query}
      empty={items.length === 0}
      none={t('recentNone')}
      all={
        <Link to="/p/$project/flows" params={{ project }} className="hm-all" aria-label={`${t('all')}: ${t('recent')}`}>
          {t('all')}
        </Link>
      }
    >
      {items.map((f) => (
        <FlowRow key={f.id} project={project} flow={f} />
      ))}
    </Part>
  )
}

/** The flows that were run or changed last. */
function recent(flows: readonly FlowSummary[]): FlowSummary[] {
  const at = (f: FlowSummary) => Math.max(Date.parse(f.updated_at), Date.parse(f.last_run?.created_at ?? '1970-01-01'))
  return [...flows].sort((a, b) => at(b) - at(a)).slice(0, partMax)
}

function FlowRow({ project, flow }: { project: string; flow: FlowSummary }) {
  const { t } = useTranslation('home')
  const { t: common } = useTranslation()
  const text = useText()
  const name = text(flow.name)
  return (
    <li className="hm-flow">
      <Link className="hm-row" to="/p/$project/flows/$flow" params={{ project, flow: flow.id }}>
        <span className="hm-text">
          <strong className="clip">{name}</strong>
          {flow.doc && <span className="quiet clip">{text(flow.doc)}</span>}
        </span>
      </Link>
      {flow.version > 0 && (
        <Button
          component={Link}
          {...({ to: '/p/$project/flows/$flow/start', params: { project, flow: flow.id } } as object)}
          variant="default"
          size="compact-xs"
          leftSection={<IconPlayerPlay size={13} aria-hidden />}
          aria-label={t('start', { name })}
        >
          {common('action.start')}
        </Button>
      )}
    </li>
  )
}
