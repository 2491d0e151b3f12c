import { Select } from '@mantine/core'
import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { useCallback, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { call, path } from '~/api/client'
import { queries } from '~/api/queries'
import type { Page, RunState, RunSummary } from '~/api/types'
import { useFormat } from '~/app/format'
import { Crumbs } from '~/app/shell'
import { live } from '~/home/queries'
import { useText } from '~/i18n/text'
import { runEnded } from '~/run/fold'
import { RunIcon, RunPill } from '~/run/states'
import { useNow } from '~/run/ticker'
import { type BulkAction, BulkBar } from './list/bulk-dialog'
import { useColumns } from './list/columns'
import type { Column } from './list/list'
import { useNarrow } from './list/narrow'
import { PagedList, useItems } from './list/paged'
import { retryFailed, runErrands, startAgain } from './list/run-actions'
import {
  narrowed,
  queryOf,
  type RunsSearch,
  runStates,
  runsSearch,
  statesOf,
  timesOf,
  viewOf,
  wordsOf,
} from './list/search'
import { Chips, ColumnPicker, MoreFilters, SearchField } from './list/toolbar'
import { Views } from './list/views'

const route = getRouteApi('/p/$project/runs')

const usual = ['state', 'flow', 'operator', 'created', 'duration'] as const

/** The list of a project's runs, newest first. */
export function RunsPage() {
  const { t } = useTranslation()
  const { t: home } = useTranslation('home')
  const { project } = route.useParams()
  const search = route.useSearch()
  const navigate = useNavigate()
  const client = useQueryClient()
  const text = useText()
  const runs = useRuns(project, search)
  const items = useItems(runs)
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set())
  const change = useNarrow<RunsSearch>(search, runsSearch)
  const narrow = useCallback(
    (next: RunsSearch) => {
      setSelected(new Set())
      change(next)
    },
    [change],
  )
  const all = useRunColumns(project, search.order === 'asc', () =>
    narrow({ order: search.order === 'asc' ? undefined : 'asc' }),
  )
  const { shown, keep } = useColumns(
    'runs',
    all.slice(1).map((c) => c.id),
    usual,
    search.cols,
  )
  const columns = all.filter((c, i) => i === 0 || shown.includes(c.id))
  const nameOf = useCallback((run: RunSummary) => run.name || text(run.flow_name), [text])
  const onSearch = useCallback((q: string) => narrow({ q }), [narrow])
  const filtered = narrowed(search)
  return (
    <div className="lp-wrap">
      <div className="lp">
        <Crumbs>
          <span className="sep shell-wide">/</span>
          <span aria-current="page">{t('nav.runs')}</span>
        </Crumbs>
        <div className="lp-head">
          <h1>{t('nav.runs')}</h1>
          <SearchField label={home('list.search')} value={search.q ?? ''} onChange={onSearch} />
          <FlowFilter project={project} flow={search.flow} onChange={(flow) => narrow({ flow })} />
          <span className="grow" />
          <MoreFilters
            time={search}
            person={search.operator ?? ''}
            personLabel={home('list.operator')}
            onTime={(time) => narrow({ since: time.since, from: time.from, to: time.to })}
            onPerson={(operator) => narrow({ operator })}
          />
          <Views
            project={project}
            list="runs"
            query={viewOf(search)}
            onOpen={(view) => {
              setSelected(new Set())
              void navigate({ to: '.', search: runsSearch(wordsOf(view)) })
            }}
          />
          <ColumnPicker columns={all.slice(1)} shown={shown} onChange={(c) => narrow({ cols: keep(c) })} />
        </div>
        <Chips
          label={t('runs.byState')}
          chips={runStates.map((s) => ({
            value: s,
            label: t(`run.state.${s}`),
            state: s,
            icon: <RunIcon state={s} still />,
          }))}
          on={statesOf(search)}
          onChange={(states) => narrow({ state: states.join(',') })}
        />
        {search.parent && <ChildrenOf project={project} parent={search.parent} />}
        <PagedList
          query={runs}
          narrowed={filtered}
          onClear={() => void navigate({ to: '.', search: {}, replace: true })}
          empty={{ title: t('runs.empty'), hint: t('runs.emptyHint') }}
          label={t('nav.runs')}
          columns={columns}
          keyOf={keyOf}
          nameOf={nameOf}
          selected={selected}
          onSelect={setSelected}
        />
      </div>
      <BulkBar
        items={items.filter((r) => selected.has(r.id))}
        actions={useRunActions(project)}
        nameOf={nameOf}
        onClear={() => setSelected(new Set())}
        onDone={() => void client.invalidateQueries({ queryKey: ['runs', project] })}
      />
    </div>
  )
}

const keyOf = (run: RunSummary) => run.id

/** The runs that the address asks for, page by page. */
function useRuns(project: string, search: RunsSearch) {
  const { q, flow, operator, order, parent } = search
  const states = statesOf(search)
  return useInfiniteQuery({
    queryKey: ['runs', project, q, flow, operator, order, parent, states, search.since, search.from, search.to],
    queryFn: ({ pageParam, signal }) => {
      const words = { q, flow, operator, order, parent, state: states, ...timesOf(search, Date.now()) }
      return call<Page<RunSummary>>(
        `${path('projects', project, 'runs')}?${queryOf({ ...words, limit: '100', cursor: pageParam })}`,
        { signal },
      )
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next,
    meta: live,
  })
}

function useRunActions(project: string): BulkAction<RunSummary>[] {
  const { t } = useTranslation('home')
  const plain = (name: 'pause' | 'resume' | 'revoke') => (run: RunSummary) => runErrands[name](project, run)
  return [
    { label: t('bulk.pause'), act: plain('pause') },
    { label: t('bulk.resume'), act: plain('resume') },
    {
      label: t('bulk.retry'),
      act: async (run) => {
        const n = await retryFailed(project, run)
        if (n === 0) throw new Error(t('bulk.nothingFailed'))
        return t('bulk.retried', { n })
      },
    },
    {
      label: t('bulk.again'),
      act: async (run) => {
        const started = await startAgain(project, run)
        if (!started) throw new Error(t('bulk.secretInputs'))
        return t('bulk.started', { name: started.name })
      },
    },
    { label: t('bulk.revoke'), act: plain('revoke'), danger: true },
  ]
}

/** One flow out of those that match what is typed. */
function FlowFilter(props: { project: string; flow: string | undefined; onChange(flow: string | undefined): void }) {
  const { project, flow, onChange } = props
  const { t } = useTranslation()
  const text = useText()
  const flows = useQuery({ ...queries.flows(project, ''), staleTime: 30_000 })
  const data = (flows.data?.items ?? []).map((f) => ({ value: f.id, label: text(f.name) }))
  // A flow that was deleted still has runs.
  if (flow && flows.data && !data.some((d) => d.value === flow)) data.push({ value: flow, label: flow })
  return (
    <Select
      aria-label={t('runs.byFlow')}
      placeholder={t('runs.byFlow')}
      data={data}
      value={flow ?? null}
      onChange={(value) => onChange(value ?? undefined)}
      clearable
      searchable
      limit={100}
      clearButtonProps={{ 'aria-label': t('action.clear') }}
      w={190}
    />
  )
}

/** Says whose runs are listed, and leads back to all of them. */
function ChildrenOf({ project, parent }: { project: string; parent: string }) {
  const { t } = useTranslation()
  return (
    <div className="quiet">
      {t('runs.childrenOf')}{' '}
      <Link className="mono" to="/p/$project/runs/$run" params={{ project, run: parent }}>
        {parent}
      </Link>{' '}
      ·{' '}
      <Link to="/p/$project/runs" params={{ project }} search={{}}>
        {t('runs.all')}
      </Link>
    </div>
  )
}

function useRunColumns(project: string, oldest: boolean, turn: () => void): Column<RunSummary>[] {
  const { t } = useTranslation()
  const { t: home } = useTranslation('home')
  const text = useText()
  const format = useFormat()
  return [
    {
      id: 'name',
      title: t('runs.name'),
      width: 'minmax(180px, 2.4fr)',
      cell: (run) => (
        <Link className="title" to="/p/$project/runs/$run" params={{ project, run: run.id }}>
          {run.name || text(run.flow_name)}
        </Link>
      ),
    },
    { id: 'state', title: t('runs.state'), width: '96px', cell: (run) => <RunPill state={run.state} /> },
    {
      id: 'flow',
      title: t('runs.flow'),
      width: 'minmax(120px, 1.4fr)',
      cell: (run) => (
        <>
          <Link className="plain" to="/p/$project/flows/$flow" params={{ project, flow: run.flow }}>
            {text(run.flow_name)}
          </Link>{' '}
          <span className="quiet num">v{run.version}</span>
        </>
      ),
    },
    { id: 'operator', title: t('runs.operator'), width: '90px', wide: true, cell: (run) => run.operator },
    {
      id: 'created',
      title: t('runs.created'),
      width: '112px',
      num: true,
      sort: { order: oldest ? 'asc' : 'desc', toggle: turn },
      cell: (run) => <time dateTime={run.created_at}>{format.when(run.created_at)}</time>,
    },
    {
      id: 'ended',
      title: home('list.columnEnded'),
      width: '112px',
      num: true,
      wide: true,
      cell: (run) => (run.ended_at ? <time dateTime={run.ended_at}>{format.when(run.ended_at)}</time> : '–'),
    },
    {
      id: 'duration',
      title: t('runs.duration'),
      width: '92px',
      num: true,
      wide: true,
      cell: (run) => <Took run={run} />,
    },
    {
      id: 'id',
      title: home('list.columnId'),
      width: 'minmax(120px, 1fr)',
      wide: true,
      cell: (run) => <span className="mono quiet">{run.id}</span>,
    },
  ]
}

/** How long a run took, or has run so far. */
function Took({ run }: { run: { state: RunState; created_at: string; ended_at?: string } }) {
  const format = useFormat()
  const now = useNow(!runEnded(run.state))
  const end = run.ended_at ? Date.parse(run.ended_at) : now
  return format.duration(end - Date.parse(run.created_at))
}
