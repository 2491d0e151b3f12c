import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { apiBase, call, everyPage, path } from '~/api/client'
import { queries } from '~/api/queries'
import type { Grant, Json, JsonObject, Page, Plugin } from '~/api/types'
import type { AuditFilter } from './audit-model'
import { auditQuery, exportQuery } from './audit-model'
import type {
  AuditEntry,
  CallAnswer,
  ConnectionResult,
  Credential,
  OperationDetail,
  Secret,
  System,
  SystemState,
} from './types'

/** Every key begins with this: what changes a system forgets all of them. */
const root = 'systems'

export const gateway = {
  systems: (project: string) =>
    queryOptions({
      queryKey: [root, project, 'list'],
      queryFn: ({ signal }) => everyPage<System>(path('projects', project, 'systems'), signal),
    }),
  system: (project: string, system: string) =>
    queryOptions({
      queryKey: [root, project, 'one', system],
      queryFn: ({ signal }) => call<System>(path('projects', project, 'systems', system), { signal }),
    }),
  operation: (project: string, system: string, op: string) =>
    queryOptions({
      queryKey: [root, project, 'operation', system, op],
      queryFn: ({ signal }) =>
        call<OperationDetail>(path('projects', project, 'systems', system, 'operations', op), { signal }),
    }),
  credential: (project: string, system: string, isDefault: boolean) =>
    queryOptions({
      queryKey: [root, project, 'credential', system, isDefault],
      queryFn: ({ signal }) => call<Credential>(credentialPath(project, system, isDefault), { signal }),
    }),
  state: (project: string, system: string, refreshMs: number) =>
    queryOptions({
      queryKey: [root, project, 'state', system],
      queryFn: ({ signal }) => call<SystemState>(path('projects', project, 'systems', system, 'state'), { signal }),
      refetchInterval: refreshMs,
    }),
  audit: (project: string, filter: AuditFilter) =>
    infiniteQueryOptions({
      queryKey: [root, project, 'audit', filter],
      queryFn: ({ pageParam, signal }) =>
        call<Page<AuditEntry>>(
          `${path('projects', project, filter.kind ? 'audit' : 'calls')}?${auditQuery(filter, Date.now(), pageParam)}`,
          { signal },
        ),
      initialPageParam: undefined as string | undefined,
      getNextPageParam: (last) => last.next,
    }),
  secrets: (project: string) =>
    queryOptions({
      queryKey: [root, project, 'secrets'],
      queryFn: ({ signal }) => call<Page<Secret>>(path('projects', project, 'secrets'), { signal }),
    }),
}

/** Where everything that a filter lets through is downloaded. */
export function exportHref(project: string, filter: AuditFilter, now: number): string {
  return `${apiBase}${path('projects', project, 'audit', 'export')}?${exportQuery(filter, now)}`
}

/** Forgets everything that is known of a project's systems and secrets. */
export function useForget(project: string) {
  const client = useQueryClient()
  return () => client.invalidateQueries({ queryKey: [root, project] })
}

/** What a person types in for a credential; empty fields are not sent. */
export interface CredentialFields {
  username?: string
  password?: string
  token?: string
  client_id?: string
  key_id?: string
  secret?: string
  certificate?: string
  private_key?: string
}

export interface CredentialInput extends CredentialFields {
  /** Keeps the primary. */
  standby?: boolean
  /** Deletes all other versions. */
  alone?: boolean
}

/** Where the credential of a system is in the API: the project's, or the installation's default. */
function credentialPath(project: string, system: string, isDefault: boolean): string {
  return path('projects', project, 'systems', system, 'credential', ...(isDefault ? ['default'] : []))
}

export function useSetCredential(project: string, system: string, isDefault: boolean) {
  const forget = useForget(project)
  return useMutation({
    mutationFn: (body: CredentialInput) =>
      call<Credential>(credentialPath(project, system, isDefault), { method: 'PUT', body }),
    onSuccess: forget,
    // What was typed is not kept longer than the request needs it.
    gcTime: 0,
  })
}

export function usePromote(project: string, system: string, isDefault: boolean) {
  const forget = useForget(project)
  return useMutation({
    mutationFn: (primary: number) =>
      call<Credential>(credentialPath(project, system, isDefault), { method: 'PUT', body: { primary } }),
    onSuccess: forget,
  })
}

export function useDropVersion(project: string, system: string, isDefault: boolean) {
  const forget = useForget(project)
  return useMutation({
    mutationFn: (version: number) =>
      call<void>(`${credentialPath(project, system, isDefault)}${path('versions', version)}`, { method: 'DELETE' }),
    onSuccess: forget,
  })
}

export function useTestConnection(project: string, system: string) {
  const forget = useForget(project)
  return useMutation({
    mutationFn: () =>
      call<ConnectionResult>(`${credentialPath(project, system, false)}/test`, { method: 'POST', body: {} }),
    onSuccess: forget,
  })
}

export function useSetSecret(project: string) {
  const forget = useForget(project)
  return useMutation({
    mutationFn: ({ name, value }: { name: string; value: string }) =>
      call<Secret>(path('projects', project, 'secrets', name), { method: 'PUT', body: { value } }),
    onSuccess: forget,
    gcTime: 0,
  })
}

export function useDeleteSecret(project: string) {
  const forget = useForget(project)
  return useMutation({
    mutationFn: (name: string) => call<void>(path('projects', project, 'secrets', name), { method: 'DELETE' }),
    onSuccess: forget,
  })
}

export function useGrant(project: string) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: ({ plugin, grants }: { plugin: string; grants: Grant[] }) =>
      call<Plugin>(path('projects', project, 'plugins', plugin, 'grants'), { method: 'PUT', body: { grants } }),
    onSuccess: (plugin) =>
      client.setQueryData(queries.plugins(project).queryKey, (old) =>
        old?.map((p) => (p.id === plugin.id ? plugin : p)),
      ),
  })
}

/** Lets calls through again to a system that is left alone. */
export function useReset(project: string, system: string) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: () =>
      call<SystemState>(path('projects', project, 'systems', system, 'state', 'commands'), {
        method: 'POST',
        body: { command: 'reset' },
      }),
    onSuccess: (state) => client.setQueryData(gateway.state(project, system, 0).queryKey, state),
  })
}

/** Puts a system as the server answered it where it is shown, and forgets its operations and history. */
function usePut(project: string) {
  const client = useQueryClient()
  const forget = useForget(project)
  return (system: System) => {
    client.setQueryData(gateway.system(project, system.id).queryKey, system)
    return forget()
  }
}

export interface Switching {
  enabled: boolean
  operations?: string[]
  group?: string
}

/** Switches operations, or all of a group, on or off. */
export function useSwitch(project: string, system: string) {
  const put = usePut(project)
  return useMutation({
    mutationFn: (body: Switching) =>
      call<System>(path('projects', project, 'systems', system, 'operations-enabled'), { method: 'PUT', body }),
    onSuccess: put,
  })
}

export interface CallInput {
  params?: JsonObject
  body?: Json
  confirm?: boolean
}

/** Calls an operation in one's own name; it is audited. */
export function useCall(project: string, system: string, op: string) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (body: CallInput) =>
      call<CallAnswer>(path('projects', project, 'systems', system, 'operations', op, 'call'), {
        method: 'POST',
        body,
      }),
    onSettled: () => client.invalidateQueries({ queryKey: [root, project, 'audit'] }),
    gcTime: 0,
  })
}
