import { keepPreviousData, queryOptions } from '@tanstack/react-query'
import { call, path } from '~/api/client'
import type { AttentionPage, Page, RunSummary } from '~/api/types'

/** Marks what is asked for again whenever the server says that it changed. */
export const live = { live: true } as const

/** How many rows a part of the home page has. */
export const partMax = 8

/** What waits for a person. Each question is asked for itself, failures once a run: a large one would hide the others. */
export function attentionQuery(project: string, need: 'answer' | 'decision', limit: number) {
  const per = need === 'decision' ? '&one_per=run' : ''
  return queryOptions({
    queryKey: ['attention', project, need, limit],
    queryFn: ({ signal }) =>
      call<AttentionPage>(`${path('projects', project, 'attention')}?need=${need}${per}&limit=${limit}`, { signal }),
    placeholderData: keepPreviousData,
    meta: live,
  })
}

/** How much needs a person: what the rail shows on every page. */
export function needsQuery(project: string) {
  return queryOptions({
    queryKey: ['attention', project, 'count'],
    queryFn: ({ signal }) => call<AttentionPage>(`${path('projects', project, 'attention')}?limit=1`, { signal }),
    meta: live,
    select: (page: AttentionPage) => page.answers + page.decisions,
    retry: false,
  })
}

export function runsPart(project: string, query: string) {
  return queryOptions({
    queryKey: ['runs', project, 'part', query],
    queryFn: ({ signal }) =>
      call<Page<RunSummary>>(`${path('projects', project, 'runs')}?${query}&limit=${partMax}`, { signal }),
    meta: live,
  })
}
