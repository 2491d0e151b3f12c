import { Tabs } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { ApiError } from '~/api/client'
import { IconActivity, IconBolt, IconHistory, IconKey, IconPencil, IconShield, IconUpload } from '~/app/icons'
import { EmptyState, ErrorNotice } from '~/app/notices'
import { Crumbs } from '~/app/shell'
import '~/catalogue/catalogue.css'
import { Rows } from '~/app/rows'
import { useText } from '~/i18n/text'
import { gateway } from './api'
import { CredentialTab } from './credential'
import { GrantsTab } from './grants'
import { HistoryTab } from './history'
import { OperationsTab } from './operations'
import { CredentialMark, SystemTile } from './parts'
import { SettingsTab } from './settings'
import { BreakerPill, StateTab } from './state'
import './registry.css'
import './systems.css'
import type { System } from './types'

const route = getRouteApi('/p/$project/systems/$system')

const tabs = ['operations', 'credential', 'grants', 'state', 'settings', 'history'] as const
type Tab = (typeof tabs)[number]

const icons: Record<Tab, typeof IconBolt> = {
  operations: IconBolt,
  credential: IconKey,
  grants: IconShield,
  state: IconActivity,
  settings: IconPencil,
  history: IconHistory,
}

/** Everything about one outside system. */
export function SystemPage() {
  const { t } = useTranslation('systems')
  const { t: common } = useTranslation()
  const text = useText()
  const { project, system: id } = route.useParams()
  const { data, error, isPending, refetch } = useQuery(gateway.system(project, id))
  const missing = error instanceof ApiError && error.status === 404
  return (
    <div className="page">
      <Crumbs>
        <span className="sep shell-wide">/</span>
        <Link to="/p/$project/systems" params={{ project }}>
          {common('nav.systems')}
        </Link>
        <span className="sep">/</span>
        <span aria-current="page" className="clip">
          {data ? text(data.title) : id}
        </span>
      </Crumbs>
      {isPending && <Rows />}
      {error && !missing && <ErrorNotice error={error} onRetry={() => void refetch()} />}
      {missing && (
        <EmptyState
          title={t('page.missing')}
          action={
            <Link to="/p/$project/systems" params={{ project }}>
              {t('page.back')}
            </Link>
          }
        >
          {t('page.missingHint')}
        </EmptyState>
      )}
      {data && (
        <>
          <Head project={project} system={data} />
          <SystemTabs project={project} system={data} />
        </>
      )}
    </div>
  )
}

/** How often the state at the head of the page is asked for. */
const headMs = 10_000

function Head({ project, system }: { project: string; system: System }) {
  const { t } = useTranslation('systems')
  const { t: registry } = useTranslation('registry')
  const text = useText()
  const state = useQuery(gateway.state(project, system.id, headMs))
  return (
    <header className="cat-head">
      <SystemTile large />
      <div className="cat-head-text">
        <h1>{text(system.title)}</h1>
        <div className="cat-facts">
          <span className="mono">{system.id}</span>
          <span className="mono quiet sys-url">{system.base_url}</span>
          <CredentialMark system={system} alone />
          {state.data && state.data.breaker.state !== 'closed' && <BreakerPill state={state.data} />}
          <Link className="sys-more" to="/p/$project/audit" params={{ project }} search={{ system: system.id }}>
            {t('page.calls')}
          </Link>
          <Link
            className="sys-more sys-with-icon"
            to="/p/$project/system-import"
            params={{ project }}
            search={{ system: system.id }}
          >
            <IconUpload size={13} aria-hidden />
            {registry('list.import')}
          </Link>
        </div>
      </div>
    </header>
  )
}

/** Brings what is chosen into sight where a narrow screen scrolls sideways. */
function reveal(element: HTMLElement | null): void {
  element?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
}

function SystemTabs({ project, system }: { project: string; system: System }) {
  const { t } = useTranslation('systems')
  const { t: registry } = useTranslation('registry')
  const { tab } = route.useSearch()
  const navigate = useNavigate()
  const chosen: Tab = tabs.find((x) => x === tab) ?? 'operations'
  const noCredential = system.auth.type !== 'none' && !system.credential_set
  return (
    <Tabs
      value={chosen}
      onChange={(next) =>
        void navigate({ to: '.', search: next && next !== 'operations' ? { tab: next } : {}, replace: true })
      }
    >
      <Tabs.List className="cat-tabs">
        {tabs.map((x) => {
          const Icon = icons[x]
          return (
            <Tabs.Tab
              key={x}
              value={x}
              ref={x === chosen ? reveal : undefined}
              leftSection={<Icon size={15} stroke={1.7} aria-hidden />}
              rightSection={
                x === 'operations' ? (
                  <span className="cat-count num">{system.operations?.length ?? 0}</span>
                ) : x === 'credential' && noCredential ? (
                  <span className="cat-count" data-s="waiting">
                    !
                  </span>
                ) : null
              }
            >
              {x === 'settings'
                ? registry('edit.tab')
                : x === 'history'
                  ? registry('history.tab')
                  : t(`page.tabs.${x}`)}
            </Tabs.Tab>
          )
        })}
      </Tabs.List>
      <Tabs.Panel value="operations">
        <OperationsTab project={project} system={system} />
      </Tabs.Panel>
      <Tabs.Panel value="credential">
        <CredentialTab project={project} system={system} />
      </Tabs.Panel>
      <Tabs.Panel value="grants">
        <GrantsTab project={project} system={system} />
      </Tabs.Panel>
      <Tabs.Panel value="state">
        <StateTab project={project} system={system} />
      </Tabs.Panel>
      <Tabs.Panel value="settings">
        {chosen === 'settings' && <SettingsTab project={project} system={system} />}
      </Tabs.Panel>
      <Tabs.Panel value="history">
        {chosen === 'history' && <HistoryTab project={project} system={system} />}
      </Tabs.Panel>
    </Tabs>
  )
}
