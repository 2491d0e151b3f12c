import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { call, pageMax, path } from '~/api/client'
import type { Flow, FlowDetail, FlowVersion, Page } from '~/api/types'
import { type Place, wordOf } from './place'

/** The draft of a flow as one save left it. */
export interface Revision {
  revision: number
  nodes: number
  valid: boolean
  saved_at: string
  saved_by: string
}

/** A state of a flow with its document, and who made it. */
export interface Standing {
  document: Flow
  at: string
  by: string
  note?: string | undefined
}

const within = (project: string, flow: string, ...rest: (string | number)[]) =>
  path('projects', project, 'flows', flow, ...rest)

const pages = <T>(address: string, cursor: string, signal: AbortSignal) =>
  call<Page<T>>(`${address}?limit=${pageMax}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`, { signal })

export const history = {
  /** The draft as the server has it now. */
  draft: (project: string, flow: string) =>
    queryOptions({
      queryKey: ['flow', project, flow, 'history'],
      queryFn: ({ signal }) => call<FlowDetail>(within(project, flow), { signal }),
    }),
  versions: (project: string, flow: string) =>
    infiniteQueryOptions({
      queryKey: ['versions', project, flow, 'pages'],
      initialPageParam: '',
      queryFn: ({ signal, pageParam }) => pages<FlowVersion>(within(project, flow, 'versions'), pageParam, signal),
      getNextPageParam: (last) => last.next || undefined,
    }),
  revisions: (project: string, flow: string) =>
    infiniteQueryOptions({
      queryKey: ['revisions', project, flow],
      initialPageParam: '',
      queryFn: ({ signal, pageParam }) => pages<Revision>(within(project, flow, 'revisions'), pageParam, signal),
      getNextPageParam: (last) => last.next || undefined,
    }),
  /** The document of a state. What is not the draft never changes. */
  standing: (project: string, flow: string, place: Place) =>
    queryOptions({
      queryKey: ['standing', project, flow, wordOf(place)],
      queryFn: ({ signal }) => read(project, flow, place, signal),
      staleTime: place.kind === 'draft' ? 0 : Infinity,
      // Each document may be large.
      gcTime: 60_000,
      retry: false,
    }),
}

async function read(project: string, flow: string, place: Place, signal: AbortSignal): Promise<Standing> {
  if (place.kind === 'draft') {
    const d = await call<FlowDetail>(within(project, flow), { signal })
    return { document: d.document, at: d.updated_at, by: d.updated_by }
  }
  if (place.kind === 'version') {
    const v = await call<FlowVersion & { document: Flow }>(within(project, flow, 'versions', place.number), { signal })
    return { document: v.document, at: v.created_at, by: v.created_by, note: v.note }
  }
  const r = await call<Revision & { document: Flow }>(within(project, flow, 'revisions', place.number), { signal })
  return { document: r.document, at: r.saved_at, by: r.saved_by }
}

/** Makes an earlier document the draft; refused when somebody saved since the draft that was seen. */
export function useRestore(project: string, flow: string) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: ({ document, revision }: { document: Flow; revision: number }) =>
      call<FlowDetail>(within(project, flow), {
        method: 'PUT',
        body: { document },
        headers: { 'If-Match': `"${revision}"` },
      }),
    onSettled: () =>
      Promise.all(
        [
          ['flows', project],
          ['flow', project, flow],
          ['revisions', project, flow],
          ['standing', project, flow, 'draft'],
        ].map((queryKey) => client.invalidateQueries({ queryKey })),
      ),
  })
}
