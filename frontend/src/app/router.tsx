import { useQuery } from '@tanstack/react-query'
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Navigate } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { queries } from '~/api/queries'
import { loadTexts } from '~/i18n'
import { flowsSearch, runsSearch } from '~/pages/list/search'
import { EmptyState, ErrorNotice } from './notices'
import { Shell } from './shell'

/** Keeps the words of a query that a page knows. */
function words<K extends string>(...keys: K[]) {
  return (search: { [key: string]: unknown }): { [key in K]?: string } => {
    const known = keys.filter((key) => typeof search[key] === 'string' && search[key])
    return Object.fromEntries(known.map((key) => [key, search[key]])) as { [key in K]?: string }
  }
}

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound, errorComponent: Failed })

const home = createRoute({ getParentRoute: () => root, path: '/', component: Home })

const project = createRoute({
  getParentRoute: () => root,
  path: '/p/$project',
  loader: () => loadTexts('home'),
  component: lazyRouteComponent(() => import('~/home/page'), 'HomePage'),
})

const flows = createRoute({
  getParentRoute: () => root,
  path: '/p/$project/flows',
  loader: () => loadTexts('home'),
  component: lazyRouteComponent(() => import('~/pages/flows'), 'FlowsPage'),
  validateSearch: flowsSearch,
})

const start = createRoute({
  getParentRoute: () => root,
  path: '/p/$project/flows/$flow/start',
  loader: () => loadTexts('start'),
  component: lazyRouteComponent(() => import('~/editor/start'), 'StartPage'),
  validateSearch: (search: { version?: unknown; run?: unknown }): { version?: number; run?: string } => ({
    ...(Number.isInteger(Number(search.version)) && Number(search.version) > 0
      ? { version: Number(search.version) }
      : {}),
    ...(typeof search.run === 'string' ? { run: search.run } : {}),
  }),
})

const editor = createRoute({
  getParentRoute: () => root,
  path: '/p/$project/flows/$flow',
  loader: () => Promise.all([loadTexts('editor'), loadTexts('versions')]),
  component: lazyRouteComponent(() => import('~/editor/page'), 'EditorPage'),
})

const versions = createRoute({
  getParentRoute: () => root,
  path: '/p/$project/flows/$flow/versions',
  loader: () => loadTexts('versions'),
  component: lazyRouteComponent(() => import('~/versions/page'), 'VersionsPage'),
  validateSearch: words('from', 'to'),
})

const rehearsal = createRoute({
  getParentRoute: () => root,
  path: '/p/$project/flows/$flow/dry-run',
  loader: () => Promise.all([loadTexts('rehearse'), loadTexts('timeline')]),
  component: lazyRouteComponent(() => import('~/rehearse/page'), 'RehearsalPage'),
  validateSearch: (search: { version?: unknown; node?: unknown }): { version?: number; node?: string } => ({
    ...(Number.isInteger(Number(search.version)) && Number(search.version) > 0
      ? { version: Number(search.version) }
      : {}),
    ...(typeof search.node === 'string' ? { node: search.node } : {}),
  }),
})

const runs = createRoute({
  getParentRoute: () => root,
  path: '/p/$project/runs',
  loader: () => loadTexts('home'),
  component: lazyRouteComponent(() => import('~/pages/runs'), 'RunsPage'),
  validateSearch: runsSearch,
})

const run = createRoute({
  getParentRoute: () => root,
  path: '/p/$project/runs/$run',
  loader: () => loadTexts('console'),
  component: lazyRouteComponent(() => import('~/runs/page'), 'RunPage'),
  validateSearch: words('node', 'in', 'tab', 'attempt', 'show'),
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
  validateSearch: words('tab', 'action'),
})

const systems = createRoute({
  getParentRoute: () => root,
  path: '/p/$project/systems',
  loader: () => Promise.all([loadTexts('systems'), loadTexts('registry')]),
  component: lazyRouteComponent(() => import('~/systems/list'), 'SystemsPage'),
  validateSearch: words('q'),
})

const systemNew = createRoute({
  getParentRoute: () => root,
  path: '/p/$project/system-new',
  loader: () => Promise.all([loadTexts('systems'), loadTexts('registry')]),
  component: lazyRouteComponent(() => import('~/systems/create'), 'CreatePage'),
})

const systemImport = createRoute({
  getParentRoute: () => root,
  path: '/p/$project/system-import',
  loader: () => Promise.all([loadTexts('systems'), loadTexts('registry')]),
  component: lazyRouteComponent(() => import('~/systems/import'), 'ImportPage'),
  validateSearch: words('system'),
})

const system = createRoute({
  getParentRoute: () => root,
  path: '/p/$project/systems/$system',
  loader: () => Promise.all([loadTexts('systems'), loadTexts('catalogue'), loadTexts('registry')]),
  component: lazyRouteComponent(() => import('~/systems/page'), 'SystemPage'),
  validateSearch: words('tab', 'op', 'q', 'show'),
})

const secrets = createRoute({
  getParentRoute: () => root,
  path: '/p/$project/secrets',
  loader: () => loadTexts('systems'),
  component: lazyRouteComponent(() => import('~/systems/secrets'), 'SecretsPage'),
})

const audit = createRoute({
  getParentRoute: () => root,
  path: '/p/$project/audit',
  loader: () => Promise.all([loadTexts('systems'), loadTexts('registry')]),
  component: lazyRouteComponent(() => import('~/systems/audit'), 'AuditPage'),
  validateSearch: words(
    'kind',
    'system',
    'operation',
    'plugin',
    'actor',
    'outcome',
    'run',
    'node',
    'since',
    'from',
    'to',
  ),
})

export const router = createRouter({
  routeTree: root.addChildren([
    home,
    project,
    flows,
    start,
    editor,
    versions,
    rehearsal,
    runs,
    run,
    plugins,
    plugin,
    systems,
    systemNew,
    systemImport,
    system,
    secrets,
    audit,
  ]),
  defaultPreload: 'intent',
  scrollRestoration: false,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
  interface HistoryState {
    /** What was filled in when a dry run was asked for. */
    inputs?: object
  }
}

function Home() {
  const { data, error, refetch } = useQuery(queries.projects())
  const { t } = useTranslation()
  const first = data?.items[0]
  if (first) return <Navigate to="/p/$project" params={{ project: first.id }} replace />
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
