import { useQuery } from '@tanstack/react-query'
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Navigate } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { queries } from '~/api/queries'
import type { RunState } from '~/api/types'
import { loadTexts } from '~/i18n'
import { FlowsPage } from '~/pages/flows'
import { EmptyState, ErrorNotice } from './notices'
import { Shell } from './shell'

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound, errorComponent: Failed })

const home = createRoute({ getParentRoute: () => root, path: '/', component: Home })

const flows = createRoute({
  getParentRoute: () => root,
  path: '/p/$project/flows',
  component: FlowsPage,
  validateSearch: (search: { q?: unknown }): { q?: string } =>
    typeof search.q === 'string' && search.q ? { q: search.q } : {},
})

const editor = createRoute({
  getParentRoute: () => root,
  path: '/p/$project/flows/$flow',
  component: lazyRouteComponent(() => import('~/editor/page'), 'EditorPage'),
})

const runs = createRoute({
  getParentRoute: () => root,
  path: '/p/$project/runs',
  component: lazyRouteComponent(() => import('~/pages/runs'), 'RunsPage'),
  validateSearch: (search: {
    state?: unknown
    flow?: unknown
    parent?: unknown
  }): { state?: RunState; flow?: string; parent?: string } => ({
    ...(typeof search.state === 'string' ? { state: search.state as RunState } : {}),
    ...(typeof search.parent === 'string' ? { parent: search.parent } : {}),
    ...(typeof search.flow === 'string' ? { flow: search.flow } : {}),
  }),
})

const run = createRoute({
  getParentRoute: () => root,
  path: '/p/$project/runs/$run',
  component: lazyRouteComponent(() => import('~/runs/page'), 'RunPage'),
  validateSearch: (search: { node?: unknown }): { node?: string } =>
    typeof search.node === 'string' ? { node: search.node } : {},
})

const plugins = createRoute({
  getParentRoute: () => root,
  path: '/p/$project/plugins',
  loader: () => loadTexts('catalogue'),
  component: lazyRouteComponent(() => import('~/catalogue/list'), 'PluginsPage'),
  validateSearch: (search: { q?: unknown; show?: unknown }): { q?: string; show?: 'attention' | 'off' } => ({
    ...(typeof search.q === 'string' && search.q ? { q: search.q } : {}),
    ...(search.show === 'attention' || search.show === 'off' ? { show: search.show } : {}),
  }),
})

const plugin = createRoute({
  getParentRoute: () => root,
  path: '/p/$project/plugins/$plugin',
  loader: () => loadTexts('catalogue'),
  component: lazyRouteComponent(() => import('~/catalogue/page'), 'PluginPage'),
  validateSearch: (search: { tab?: unknown; action?: unknown }): { tab?: string; action?: string } => ({
    ...(typeof search.tab === 'string' ? { tab: search.tab } : {}),
    ...(typeof search.action === 'string' ? { action: search.action } : {}),
  }),
})

export const router = createRouter({
  routeTree: root.addChildren([home, flows, editor, runs, run, plugins, plugin]),
  defaultPreload: 'intent',
  scrollRestoration: false,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}

function Home() {
  const { data, error, refetch } = useQuery(queries.projects())
  const { t } = useTranslation()
  const first = data?.items[0]
  if (first) return <Navigate to="/p/$project/flows" params={{ project: first.id }} replace />
  return (
    <div className="page">
      {error && <ErrorNotice error={error} onRetry={() => void refetch()} />}
      {data && <EmptyState title={t('shell.noProject')} />}
    </div>
  )
}

function NotFound() {
  const { t } = useTranslation()
  return (
    <div className="page">
      <EmptyState title={t('shell.notFound')} action={<a href="/">{t('shell.home')}</a>} />
    </div>
  )
}

function Failed({ error, reset }: { error: unknown; reset: () => void }) {
  return (
    <div className="page">
      <ErrorNotice error={error} onRetry={reset} />
    </div>
  )
}
