import { queryOptions, useQuery } from '@tanstack/react-query'
import { call, path } from '~/api/client'
import { queries } from '~/api/queries'
import type { Page, RunSummary, RunView } from '~/api/types'

/** How many of the successful runs are looked through for the one before this. */
const lookMax = 50

const succeeded = (project: string, flow: string) =>
  queryOptions({
    queryKey: ['runs', project, 'good', flow],
    queryFn: ({ signal }) =>
      call<Page<RunSummary>>(
        `${path('projects', project, 'runs')}?${new URLSearchParams({ flow, state: 'succeeded', limit: String(lookMax) })}`,
        { signal },
      ),
    staleTime: 60_000,
  })

/** Of the successful runs, the newest first, the one that a run is best compared with. */
export function bestBefore(
  runs: readonly RunSummary[],
  run: Pick<RunView, 'id' | 'created_at'>,
): RunSummary | undefined {
  const others = runs.filter((r) => r.id !== run.id)
  return others.find((r) => Date.parse(r.created_at) < Date.parse(run.created_at)) ?? others[0]
}

/** The last run of the same flow that went well: before this one, or the newest where there is none before. */
export function useLastGood(project: string, run: Pick<RunView, 'id' | 'flow' | 'created_at'>) {
  const list = useQuery(succeeded(project, run.flow))
  return { ...list, good: list.data && bestBefore(list.data.items, run) }
}

/** A node of the last good run, where there is one. */
export function useGoodNode(project: string, run: Pick<RunView, 'id' | 'flow' | 'created_at'>, node: string) {
  const { good } = useLastGood(project, run)
  const detail = useQuery({
    ...queries.runNode(project, good?.id ?? '', node),
    enabled: good !== undefined,
    staleTime: 60_000,
    retry: false,
  })
  return { good, attempt: detail.data?.attempts?.findLast((a) => a.state === 'succeeded') }
}
