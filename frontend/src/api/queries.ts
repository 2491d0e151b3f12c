import { type QueryClient, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { call, everyPage, idempotencyKey, pageMax, path } from './client'
import type {
  Choices,
  Flow,
  FlowDetail,
  FlowSummary,
  FlowVersion,
  JsonObject,
  Meta,
  NodeCommand,
  NodeDetail,
  Page,
  Plugin,
  Problem,
  Project,
  RollbackMode,
  RollbackPlan,
  RunCommand,
  RunDetail,
  RunSummary,
} from './types'

const within = (project: string, ...rest: (string | number)[]) => path('projects', project, ...rest)

export const queries = {
  meta: () =>
    queryOptions({ queryKey: ['meta'], queryFn: ({ signal }) => call<Meta>('/meta', { signal }), staleTime: Infinity }),
  projects: () =>
    queryOptions({
      queryKey: ['projects'],
      queryFn: ({ signal }) => call<Page<Project>>('/projects', { signal }),
      staleTime: 60_000,
    }),
  plugins: (project: string) =>
    queryOptions({
      queryKey: ['plugins', project],
      queryFn: ({ signal }) => everyPage<Plugin>(within(project, 'plugins'), signal),
      staleTime: 60_000,
    }),
  choices: (
    project: string,
    plugin: string,
    body: { action: string; source: string; form: JsonObject; literal: string[] },
  ) =>
    queryOptions({
      queryKey: ['choices', project, plugin, body],
      queryFn: ({ signal }) =>
        call<Choices>(within(project, 'plugins', plugin, 'options'), { method: 'POST', body, signal }),
      staleTime: 30_000,
      // Each answer may be as long as a system's inventory.
      gcTime: 60_000,
      retry: false,
      refetchOnWindowFocus: false,
    }),
  flows: (project: string, q: string) =>
    queryOptions({
      queryKey: ['flows', project, q],
      queryFn: ({ signal }) =>
        call<Page<FlowSummary>>(
          `${within(project, 'flows')}?limit=${pageMax}${q ? `&q=${encodeURIComponent(q)}` : ''}`,
          { signal },
        ),
    }),
  flow: (project: string, flow: string) =>
    queryOptions({
      queryKey: ['flow', project, flow],
      queryFn: ({ signal }) => call<FlowDetail>(within(project, 'flows', flow), { signal }),
      // The editor holds the document from here on; it is not fetched behind its back.
      staleTime: 0,
      gcTime: 0,
      refetchOnWindowFocus: false,
      refetchOnReconnect: false,
    }),
  version: (project: string, flow: string, version: number) =>
    queryOptions({
      queryKey: ['version', project, flow, version],
      queryFn: ({ signal }) =>
        call<FlowVersion & { document: Flow }>(within(project, 'flows', flow, 'versions', version), { signal }),
      staleTime: Infinity,
    }),
  versions: (project: string, flow: string) =>
    queryOptions({
      queryKey: ['versions', project, flow],
      queryFn: ({ signal }) =>
        call<Page<FlowVersion>>(`${within(project, 'flows', flow, 'versions')}?limit=${pageMax}`, { signal }),
    }),
  run: (project: string, run: string) =>
    queryOptions({
      queryKey: ['run', project, run],
      queryFn: ({ signal }) => call<RunDetail>(within(project, 'runs', run), { signal }),
      // The stream keeps it up to date.
      staleTime: Infinity,
      gcTime: 0,
    }),
  runNode: (project: string, run: string, node: string) =>
    queryOptions({
      queryKey: ['run', project, run, 'node', node],
      queryFn: ({ signal }) => call<NodeDetail>(within(project, 'runs', run, 'nodes', node), { signal }),
      placeholderData: (old) => (old?.node === node ? old : undefined),
    }),
  rollbackPreview: (project: string, run: string, body: { from: string; to: string; mode: RollbackMode }) =>
    queryOptions({
      queryKey: ['run', project, run, 'rollback', body],
      queryFn: ({ signal }) =>
        call<RollbackPlan>(within(project, 'runs', run, 'rollback', 'preview'), { method: 'POST', body, signal }),
      // The run moves on: what was shown a moment ago is asked again.
      staleTime: 0,
      gcTime: 0,
      retry: false,
    }),
}

function forgetFlows(client: QueryClient, project: string): Promise<void> {
  return client.invalidateQueries({ queryKey: ['flows', project] })
}

/** Has a flow's history asked for again; what an editor holds is not fetched behind its back. */
function forgetHistory(client: QueryClient, project: string, flow: string): Promise<unknown> {
  const keys = [
    ['versions', project, flow],
    ['revisions', project, flow],
    ['standing', project, flow, 'draft'],
    ['flow', project, flow, 'history'],
  ]
  return Promise.all([forgetFlows(client, project), ...keys.map((queryKey) => client.invalidateQueries({ queryKey }))])
}

/** Asks for a flow past every cache. */
export function fetchFlow(project: string, flow: string): Promise<FlowDetail> {
  return call<FlowDetail>(within(project, 'flows', flow))
}

export function useCreateFlow(project: string) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (document: Flow) =>
      call<FlowDetail>(within(project, 'flows'), { method: 'POST', body: { document }, headers: idempotencyKey() }),
    onSuccess: () => forgetFlows(client, project),
  })
}

export function useDeleteFlow(project: string) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (flow: string) => call<void>(within(project, 'flows', flow), { method: 'DELETE' }),
    onSuccess: () => forgetFlows(client, project),
  })
}

/** The server takes a second for the largest flow; a connection that died silently takes for ever. */
const saveWithinMs = 20_000

export function useSaveFlow(project: string, flow: string) {
  const client = useQueryClient()
  return useMutation({
    // Without a network it fails, and the editor says so and goes on by itself.
    networkMode: 'always',
    mutationFn: ({ document, revision }: { document: Flow; revision: number }) =>
      call<FlowDetail>(within(project, 'flows', flow), {
        method: 'PUT',
        body: { document },
        headers: { 'If-Match': `"${revision}"` },
        signal: AbortSignal.timeout(saveWithinMs),
      }),
    onSuccess: () => forgetHistory(client, project, flow),
  })
}

export function validateFlow(project: string, document: Flow, signal: AbortSignal): Promise<Problem[]> {
  return call<{ problems: Problem[] | null }>(within(project, 'flows', 'validate'), {
    method: 'POST',
    body: { document },
    signal,
  }).then((answer) => answer.problems ?? [])
}

export function usePublishFlow(project: string, flow: string) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (body: { revision: number; note: string }) =>
      call<FlowVersion>(within(project, 'flows', flow, 'versions'), {
        method: 'POST',
        body,
        headers: idempotencyKey(),
      }),
    onSuccess: () => forgetHistory(client, project, flow),
  })
}

export interface StartRequest {
  name?: string
  version?: number
  inputs: JsonObject
  without?: string[]
  start_at?: string
}

export function useStartRun(project: string, flow: string) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (body: StartRequest) =>
      call<RunSummary>(within(project, 'flows', flow, 'runs'), { method: 'POST', body, headers: idempotencyKey() }),
    onSuccess: () =>
      Promise.all([client.invalidateQueries({ queryKey: ['runs', project] }), forgetFlows(client, project)]).then(
        () => undefined,
      ),
  })
}

export function useRunCommand(project: string, run: string) {
  return useMutation({
    mutationFn: (body: RunCommand) =>
      call<{ seq: number }>(within(project, 'runs', run, 'commands'), { method: 'POST', body }),
  })
}

export function useNodeCommand(project: string, run: string) {
  return useMutation({
    mutationFn: ({ node, body }: { node: string; body: NodeCommand }) =>
      call<{ seq: number }>(within(project, 'runs', run, 'nodes', node, 'commands'), { method: 'POST', body }),
  })
}
