import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { call, path } from '~/api/client'
import type { JsonObject, Page } from '~/api/types'
import { gateway, useForget } from './api'
import type { Contract, Difference, HistoryEntry, ImportInput, ImportResult, OperationUses, System } from './types'

const one = (project: string, system: string, ...rest: (string | number)[]) =>
  path('projects', project, 'systems', system, ...rest)

export const registry = {
  contracts: () =>
    queryOptions({
      queryKey: ['contracts'],
      queryFn: ({ signal }) => call<Page<Contract>>(path('contracts'), { signal }),
      staleTime: Number.POSITIVE_INFINITY,
    }),
  document: (project: string, system: string) =>
    queryOptions({
      queryKey: ['systems', project, 'document', system],
      queryFn: ({ signal }) => call<JsonObject>(one(project, system, 'document'), { signal }),
    }),
  /** Flows change meanwhile, so it is asked anew each time. */
  uses: (project: string, system: string, operation: string) =>
    queryOptions({
      queryKey: ['systems', project, 'uses', system, operation],
      queryFn: ({ signal }) => call<OperationUses>(one(project, system, 'operations', operation, 'uses'), { signal }),
      staleTime: 0,
      gcTime: 0,
    }),
  history: (project: string, system: string) =>
    infiniteQueryOptions({
      queryKey: ['systems', project, 'history', system],
      queryFn: ({ pageParam, signal }) =>
        call<Page<HistoryEntry>>(
          `${one(project, system, 'versions')}?limit=20${pageParam ? `&cursor=${encodeURIComponent(pageParam)}` : ''}`,
          { signal },
        ),
      initialPageParam: undefined as string | undefined,
      getNextPageParam: (last) => last.next,
    }),
  version: (project: string, system: string, n: number) =>
    queryOptions({
      queryKey: ['systems', project, 'version', system, n],
      queryFn: ({ signal }) => call<HistoryEntry>(one(project, system, 'versions', n), { signal }),
      staleTime: Number.POSITIVE_INFINITY,
    }),
  /** What putting a document would change now. */
  against: (project: string, system: string, n: number, document: JsonObject | undefined) =>
    queryOptions({
      queryKey: ['systems', project, 'against', system, n],
      queryFn: ({ signal }) =>
        call<Difference>(one(project, system, 'diff'), { method: 'POST', body: document, signal }),
      enabled: document !== undefined,
    }),
}

/** Says what putting a document would change; stores nothing. */
export function useDiff(project: string) {
  return useMutation({
    mutationFn: (document: JsonObject) =>
      call<Difference>(one(project, String(document.id), 'diff'), { method: 'POST', body: document }),
    gcTime: 0,
  })
}

export function usePutSystem(project: string) {
  const client = useQueryClient()
  const forget = useForget(project)
  return useMutation({
    mutationFn: (document: JsonObject) =>
      call<System>(one(project, String(document.id)), { method: 'PUT', body: document }),
    onSuccess: (system) => {
      client.setQueryData(gateway.system(project, system.id).queryKey, system)
      return forget()
    },
    gcTime: 0,
  })
}

export function useImport(project: string) {
  const forget = useForget(project)
  return useMutation({
    mutationFn: (body: ImportInput) =>
      call<ImportResult>(path('projects', project, 'system-imports'), { method: 'POST', body }),
    onSuccess: (result) => (result.applied ? forget() : undefined),
    gcTime: 0,
  })
}

export function useDeleteSystem(project: string, system: string) {
  const forget = useForget(project)
  return useMutation({
    mutationFn: (revoke: boolean) =>
      call<void>(`${one(project, system)}${revoke ? '?revoke=true' : ''}`, { method: 'DELETE' }),
    onSuccess: forget,
  })
}
