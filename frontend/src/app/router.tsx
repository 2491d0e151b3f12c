import { useQuery } from '@tanstack/react-query'
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Navigate } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { queries } from '~/api/queries'
import { loadTexts } from '~/i18n'
import { flowsSearch, runsSearch } from '~/pages/list/search'
import { patiently } from './lazy'
import { EmptyState, ErrorNotice } from './notices'
import { Shell } from './shell'

/** Keeps the words of a query that a page knows. */
function words<K extends string>(...keys: K[]) {
  return (search: { [key: string]: unknown }): { [key in K]?: string } => {
    const known = keys.filter((key) => typeof search[key] === 'string' && search[key])
    return Object.fromEntries(known.map((key) => [key, search[key]])) as { [key in K]?: string }
  }
}

/** Loads texts before a page is shown. */
const texts =
  (...parts: Parameters<typeof loadTexts>[0][]) =>
  () =>
    patiently(() => Promise.all(parts.map(loadTexts)))

/** A page that is loaded when it is first gone to; while the server is away the page before it stays. */
const page: typeof lazyRouteComponent = (load, name) => lazyRouteComponent(() => patiently(load), name)

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound, errorComponent: Failed })

const home = createRoute({ getParentRoute: () => root, path: '/', component: Home })

const project = createRoute({
  getParentRoute: () => root,
  path: '/p/$project',
  loader: texts('home'),
  component: page(() => import('~/home/page'), 'HomePage'),
})

const flows = createRoute({
  getParentRoute: () => root,
  path: '/p/$project/flows',
  loader: texts('home'),
  component: page(() => import('~/pages/flows'), 'FlowsPage'),
  validateSearch: flowsSearch,
})

const start = createRoute({
  getParentRoute: () => root,
  path: '/p/$project/flows/$flow/start',
  loader: texts('start'),
  component: page(() => import('~/editor/start'), 'StartPage'),
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
  loader: texts('editor', 'versions'),
  component: page(() => import('~/editor/page'), 'EditorPage'),
})

const versions = createRoute({
  getParentRoute: () => root,
  path: '/p/$project/flows/$flow/versions',
  loader: texts('versions'),
  component: page(() => import('~/versions/page'), 'VersionsPage'),
  validateSearch: words('from', 'to'),
})

const rehearsal = createRoute({
  getParentRoute: () => root,
  path: '/p/$project/flows/$flow/dry-run',
  loader: texts('rehearse', 'timeline'),
  component: page(() => import('~/rehearse/page'), 'RehearsalPage'),
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
  loader: texts('home'),
  component: page(() => import('~/pages/runs'), 'RunsPage'),
  validateSearch: runsSearch,
})

const run = createRoute({
  getParentRoute: () => root,
  path: '/p/$project/runs/$run',
  loader: texts('console'),
  component: page(() => import('~/runs/page'), 'RunPage'),
  validateSearch: words('node', 'in', 'tab', 'attempt', 'show'),
})

const plugins = createRoute({
  getParentRoute: () => root,
  path: '/p/$project/plugins',
  loader: texts('catalogue', 'manifest'),
  component: page(() => import('~/catalogue/list'), 'PluginsPage'),
  validateSearch: (search: { q?: unknown; show?: unknown }): { q?: string; show?: 'attention' | 'off' } => ({
    ...(typeof search.q === 'string' && search.q ? { q: search.q } : {}),
    ...(search.show === 'attention' || search.show === 'off' ? { show: search.show } : {}),
  }),
})

const plugin = createRoute({
  getParentRoute: () => root,
  path: '/p/$project/plugins/$plugin',
  loader: texts('catalogue'),
  component: page(() => import('~/catalogue/page'), 'PluginPage'),
  validateSearch: words('tab', 'action'),
})

const systems = createRoute({
  getParentRoute: () => root,
  path: '/p/$project/systems',
  loader: texts('systems', 'registry'),
  component: page(() => import('~/systems/list'), 'SystemsPage'),
  validateSearch: words('q'),
})

const systemNew = createRoute({
  getParentRoute: () => root,
  path: '/p/$project/system-new',
  loader: texts('systems', 'registry'),
  component: page(() => import('~/systems/create'), 'CreatePage'),
})

const systemImport = createRoute({
  getParentRoute: () => root,
  path: '/p/$project/system-import',
  loader: texts('systems', 'registry'),
  component: page(() => import('~/systems/import'), 'ImportPage'),
  validateSearch: words('system'),
})

const system = createRoute({
  getParentRoute: () => root,
  path: '/p/$project/systems/$system',
  loader: texts('systems', 'catalogue', 'registry'),
  component: page(() => import('~/systems/page'), 'SystemPage'),
  validateSearch: words('tab', 'op', 'q', 'show'),
})

const secrets = createRoute({
  getParentRoute: () => root,
  path: '/p/$project/secrets',
  loader: texts('systems'),
  component: page(() => import('~/systems/secrets'), 'SecretsPage'),
})

const audit = createRoute({
  getParentRoute: () => root,
  path: '/p/$project/audit',
  loader: texts('systems', 'registry'),
  component: page(() => import('~/systems/audit'), 'AuditPage'),
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
