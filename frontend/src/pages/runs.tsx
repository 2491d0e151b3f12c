import { Button, Select } from '@mantine/core'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { call, path } from '~/api/client'
import { queries, runsQuery } from '~/api/queries'
import type { Page, RunState, RunSummary } from '~/api/types'
import { useFormat } from '~/app/format'
import { EmptyState, ErrorNotice } from '~/app/notices'
import { Crumbs } from '~/app/shell'
import { useText } from '~/i18n/text'
import { runEnded } from '~/run/fold'
import { RunPill } from '~/run/states'
import { useNow } from '~/run/ticker'
import { Rows } from './flows'

const route = getRouteApi('/p/$project/runs')

const states: RunState[] = ['running', 'blocked', 'suspended', 'succeeded', 'failed', 'revoked']

/** How often the list asks again while it is looked at. */
const refreshMs = 3000

/** The list of a project's runs, newest first. */
export function RunsPage() {
  const { t } = useTranslation()
  const { project } = route.useParams()
  const { state, flow, parent } = route.useSearch()
  const navigate = useNavigate()
  const text = useText()
  const flows = useQuery(queries.flows(project, ''))
  const { data, error, isPending, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery({
    queryKey: ['runs', project, state, flow, parent],
    queryFn: ({ pageParam, signal }) =>
      call<Page<RunSummary>>(
        `${path('projects', project, 'runs')}?${runsQuery({ state, flow, parent, cursor: pageParam })}`,
        { signal },
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next,
    refetchInterval: refreshMs,
  })
  const items = data?.pages.flatMap((p) => p.items) ?? []
  const filter = (next: { state?: RunState; flow?: string }) =>
    void navigate({ to: '.', search: { ...next, ...(parent ? { parent } : {}) }, replace: true })
  return (
    <div className="page">
      <Crumbs>
        <span className="sep shell-wide">/</span>
        <span aria-current="page">{t('nav.runs')}</span>
      </Crumbs>
      <div className="page-head">
        <h1>{t('nav.runs')}</h1>
        <span className="grow" />
        <Select
          aria-label={t('runs.byFlow')}
          placeholder={t('runs.byFlow')}
          data={(flows.data?.items ?? []).map((f) => ({ value: f.id, label: text(f.name) }))}
          value={flow ?? null}
          onChange={(value) => filter({ state, ...(value ? { flow: value } : {}) })}
          clearable
          searchable
          clearButtonProps={{ 'aria-label': t('action.clear') }}
          w={200}
        />
        <Select
          aria-label={t('runs.byState')}
          placeholder={t('runs.byState')}
          data={states.map((s) => ({ value: s, label: t(`run.state.${s}`) }))}
          value={state ?? null}
          onChange={(value) => filter({ flow, ...(value ? { state: value as RunState } : {}) })}
          clearable
          clearButtonProps={{ 'aria-label': t('action.clear') }}
          w={140}
        />
      </div>
      {parent && <ChildrenOf project={project} parent={parent} />}
      {isPending && <Rows />}
      {error && <ErrorNotice error={error} onRetry={() => void refetch()} />}
      {data && items.length === 0 && <EmptyState title={t('runs.empty')}>{t('runs.emptyHint')}</EmptyState>}
      {items.length > 0 && <RunTable project={project} runs={items} />}
      {hasNextPage && (
        <Button variant="subtle" mt="sm" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          {t('action.more')}
        </Button>
      )}
    </div>
  )
}

/** Says whose runs are listed, and leads back to all of them. */
function ChildrenOf({ project, parent }: { project: string; parent: string }) {
  const { t } = useTranslation()
  return (
    <p className="quiet">
      {t('runs.childrenOf')}{' '}
      <Link className="mono" to="/p/$project/runs/$run" params={{ project, run: parent }}>
        {parent}
      </Link>{' '}
      ·{' '}
      <Link to="/p/$project/runs" params={{ project }} search={{}}>
        {t('runs.all')}
      </Link>
    </p>
  )
}

function RunTable({ project, runs }: { project: string; runs: RunSummary[] }) {
  const { t } = useTranslation()
  return (
    <table className="list">
      <thead>
        <tr>
          <th>{t('runs.name')}</th>
          <th>{t('runs.state')}</th>
          <th>{t('runs.flow')}</th>
          <th>{t('runs.operator')}</th>
          <th>{t('runs.created')}</th>
          <th>{t('runs.duration')}</th>
        </tr>
      </thead>
      <tbody>
        {runs.map((run) => (
          <RunRow key={run.id} project={project} run={run} />
        ))}
      </tbody>
    </table>
  )
}

function RunRow({ project, run }: { project: string; run: RunSummary }) {
  const text = useText()
  const format = useFormat()
  const now = useNow(!runEnded(run.state))
  const end = run.ended_at ? Date.parse(run.ended_at) : now
  return (
    <tr>
      <td>
        <Link className="title" to="/p/$project/runs/$run" params={{ project, run: run.id }}>
          {run.name || text(run.flow_name)}
        </Link>
        <div className="quiet mono clip">{run.id}</div>
      </td>
      <td>
        <RunPill state={run.state} />
      </td>
      <td className="wide">
        <Link
          className="title"
          style={{ fontWeight: 400 }}
          to="/p/$project/flows/$flow"
          params={{ project, flow: run.flow }}
        >
          {text(run.flow_name)}
        </Link>{' '}
        <span className="quiet num">v{run.version}</span>
      </td>
      <td className="quiet wide">{run.operator}</td>
      <td className="num quiet">{format.when(run.created_at)}</td>
      <td className="num quiet wide">{format.duration(end - Date.parse(run.created_at))}</td>
    </tr>
  )
}
