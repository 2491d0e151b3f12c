import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { call, path } from '~/api/client'
import type {
  HealthSummary,
  HealthWindow,
  InstalledPlugin,
  PluginCommand,
  PluginEvent,
  PluginHealth,
  PluginUses,
  PluginVersion,
  Trust,
} from '~/api/installed'
import { queries } from '~/api/queries'
import type { Grant, Page, Plugin, SystemView } from '~/api/types'

const pageMax = 200

/** How often figures that go on changing are asked for while they are looked at. */
const refreshMs = 10_000

/** Every key begins with this: what changes a plugin forgets all of them. */
const root = 'catalogue'

export const catalogue = {
  installed: () =>
    queryOptions({
      queryKey: [root, 'installed'],
      queryFn: async ({ signal }) => {
        const items: InstalledPlugin[] = []
        let cursor: string | undefined
        do {
          const next: Page<InstalledPlugin> = await call(
            `/plugins?limit=${pageMax}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`,
            { signal },
          )
          items.push(...next.items)
          cursor = next.next
        } while (cursor)
        return items
      },
    }),
  version: (plugin: string, digest: string) =>
    queryOptions({
      queryKey: [root, 'version', plugin, digest],
      queryFn: ({ signal }) => call<PluginVersion>(path('plugins', plugin, 'versions', digest), { signal }),
    }),
  history: (plugin: string) =>
    queryOptions({
      queryKey: [root, 'history', plugin],
      queryFn: ({ signal }) =>
        call<Page<PluginEvent>>(`${path('plugins', plugin, 'history')}?limit=${pageMax}`, { signal }),
    }),
  trust: () =>
    queryOptions({
      queryKey: [root, 'trust'],
      queryFn: ({ signal }) => call<Trust>('/trust', { signal }),
      staleTime: 60_000,
    }),
  uses: (project: string, plugin: string) =>
    queryOptions({
      queryKey: [root, 'uses', project, plugin],
      queryFn: ({ signal }) => call<PluginUses>(path('projects', project, 'plugins', plugin, 'uses'), { signal }),
      refetchInterval: refreshMs,
    }),
  health: (project: string, plugin: string, window: HealthWindow) =>
    queryOptions({
      queryKey: [root, 'health', project, plugin, window],
      queryFn: ({ signal }) =>
        call<PluginHealth>(`${path('projects', project, 'plugins', plugin, 'health')}?window=${window}`, { signal }),
      refetchInterval: refreshMs,
    }),
  summaries: (project: string) =>
    queryOptions({
      queryKey: [root, 'summaries', project],
      queryFn: ({ signal }) => call<Page<HealthSummary>>(path('projects', project, 'plugin-health'), { signal }),
      refetchInterval: refreshMs,
    }),
  systems: (project: string) =>
    queryOptions({
      queryKey: [root, 'systems', project],
      queryFn: ({ signal }) =>
        call<Page<SystemView>>(`${path('projects', project, 'systems')}?limit=${pageMax}`, { signal }),
      staleTime: 60_000,
    }),
}

/** Puts a plugin as the server answered it into the list that other pages hold too. */
function usePut(project: string) {
  const client = useQueryClient()
  return (plugin: Plugin) =>
    client.setQueryData(queries.plugins(project).queryKey, (old) => old?.map((p) => (p.id === plugin.id ? plugin : p)))
}

export function useSetEnabled(project: string) {
  const put = usePut(project)
  return useMutation({
    mutationFn: ({ plugin, enabled }: { plugin: string; enabled: boolean }) =>
      call<Plugin>(path('projects', project, 'plugins', plugin, 'enabled'), { method: 'PUT', body: { enabled } }),
    onSuccess: put,
  })
}

export function useSetGrants(project: string) {
  const put = usePut(project)
  return useMutation({
    mutationFn: ({ plugin, grants }: { plugin: string; grants: Grant[] }) =>
      call<Plugin>(path('projects', project, 'plugins', plugin, 'grants'), { method: 'PUT', body: { grants } }),
    onSuccess: put,
  })
}

/** Forgets everything that is known of plugins: another version may be in use now. */
function useForget(project: string) {
  const client = useQueryClient()
  return () =>
    Promise.all([
      client.invalidateQueries({ queryKey: [root] }),
      client.invalidateQueries({ queryKey: queries.plugins(project).queryKey }),
    ])
}

export interface Change {
  plugin: string
  digest: string
  command: PluginCommand
  override?: boolean
  reason?: string
}

export function useChangeVersion(project: string) {
  const forget = useForget(project)
  return useMutation({
    mutationFn: ({ plugin, digest, ...body }: Change) =>
      call<PluginVersion>(path('plugins', plugin, 'versions', digest, 'commands'), { method: 'POST', body }),
    onSuccess: () => forget().then(() => undefined),
  })
}

export interface Upload {
  module: Blob
  /** A DSSE envelope, as text. */
  signature: string | null
  override: boolean
}

export function useInstall(project: string) {
  const forget = useForget(project)
  return useMutation({
    mutationFn: ({ module, signature, override }: Upload) =>
      call<PluginVersion>(`/plugins${override ? '?override=true' : ''}`, {
        method: 'POST',
        body: module,
        headers: {
          'Content-Type': 'application/wasm',
          ...(signature === null ? {} : { 'Plugin-Signature': base64(signature) }),
        },
      }),
    onSuccess: () => forget().then(() => undefined),
  })
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)))
}
