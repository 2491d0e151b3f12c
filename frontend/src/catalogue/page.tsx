import { ActionIcon, Button, Tabs, Tooltip } from '@mantine/core'
import { useClipboard } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { InstalledPlugin, PluginVersion } from '~/api/installed'
import { queries } from '~/api/queries'
import type { Manifest, Plugin } from '~/api/types'
import {
  IconActivity,
  IconBolt,
  IconCheck,
  IconCopy,
  IconHistory,
  IconHourglass,
  IconInfoCircle,
  IconKey,
  IconSitemap,
} from '~/app/icons'
import { EmptyState, ErrorNotice } from '~/app/notices'
import { Rows } from '~/app/rows'
import { Crumbs } from '~/app/shell'
import { useText } from '~/i18n/text'
import { AccessTab } from './access'
import { ActionsTab } from './actions'
import { catalogue } from './api'
import './catalogue.css'
import { accessOf, short } from './entries'
import { HealthTab } from './health'
import { EnabledSwitch } from './list'
import { Denied, PluginTile, StatePill, TrustMark } from './parts'
import { ReviewDialog } from './review'
import { UsesTab } from './uses'
import { VersionsTab } from './versions'

const route = getRouteApi('/p/$project/plugins/$plugin')

const tabs = ['actions', 'access', 'uses', 'health', 'versions'] as const
type Tab = (typeof tabs)[number]

const icons: Record<Tab, typeof IconBolt> = {
  actions: IconBolt,
  access: IconKey,
  uses: IconSitemap,
  health: IconActivity,
  versions: IconHistory,
}

/** Everything about one plugin. */
export function PluginPage() {
  const { t } = useTranslation('catalogue')
  const { t: common } = useTranslation()
  const { project, plugin: id } = route.useParams()
  const installed = useQuery(catalogue.installed())
  const plugins = useQuery(queries.plugins(project))
  const found = installed.data?.find((p) => p.id === id)
  const error = installed.error ?? plugins.error
  const text = useText()
  return (
    <div className="page">
      <Crumbs>
        <span className="sep shell-wide">/</span>
        <Link to="/p/$project/plugins" params={{ project }}>
          {common('nav.plugins')}
        </Link>
        <span className="sep">/</span>
        <span aria-current="page" className="clip">
          {found ? text(found.title) : id}
        </span>
      </Crumbs>
      {error && (
        <ErrorNotice
          error={error}
          onRetry={() => {
            void installed.refetch()
            void plugins.refetch()
          }}
        />
      )}
      {!error && (installed.isPending || plugins.isPending) && <Rows />}
      {installed.data && plugins.data && !found && (
        <EmptyState
          title={t('page.missing')}
          action={
            <Link to="/p/$project/plugins" params={{ project }}>
              {t('page.back')}
            </Link>
          }
        >
          {t('page.missingHint')}
        </EmptyState>
      )}
      {installed.data && plugins.data && found && (
        <Loaded project={project} installed={found} own={plugins.data.find((p) => p.id === id)} />
      )}
    </div>
  )
}

/** The version that the page is about: that in use, else the highest that is not blocked. */
function shownVersion(p: InstalledPlugin): PluginVersion | undefined {
  return p.versions.find((v) => v.latest) ?? p.versions.find((v) => v.state !== 'blocked') ?? p.versions[0]
}

function Loaded({ project, installed, own }: { project: string; installed: InstalledPlugin; own: Plugin | undefined }) {
  const shown = shownVersion(installed)
  const [reviewing, setReviewing] = useState<PluginVersion | null>(null)
  // A version that is not in use is not in the project's list: its manifest is asked for.
  const version = useQuery({
    ...catalogue.version(installed.id, shown?.digest ?? ''),
    enabled: own === undefined && shown !== undefined,
  })
  const manifest = own?.manifest ?? version.data?.manifest
  return (
    <>
      <Head project={project} installed={installed} own={own} shown={shown} />
      <Strips installed={installed} own={own} onReview={setReviewing} />
      {version.error && <ErrorNotice error={version.error} onRetry={() => void version.refetch()} />}
      {manifest ? (
        <PluginTabs project={project} installed={installed} own={own} manifest={manifest} onReview={setReviewing} />
      ) : (
        !version.error && <Rows />
      )}
      {reviewing && (
        <ReviewDialog project={project} version={reviewing} before={own?.manifest} onClose={() => setReviewing(null)} />
      )}
    </>
  )
}

function Head(props: {
  project: string
  installed: InstalledPlugin
  own: Plugin | undefined
  shown: PluginVersion | undefined
}) {
  const { t } = useTranslation('catalogue')
  const { project, installed, own, shown } = props
  const text = useText()
  const name = text(installed.title)
  return (
    <header className="cat-head">
      <PluginTile icon={installed.icon} large />
      <div className="cat-head-text">
        <h1>{name}</h1>
        {installed.doc && <p>{text(installed.doc)}</p>}
        {shown && (
          <div className="cat-facts">
            <span className="mono">{installed.id}</span>
            <span className="num">{shown.version}</span>
            {!shown.latest && <StatePill state={shown.state} latest={false} />}
            <TrustMark version={shown} />
            <DigestMark digest={shown.digest} />
          </div>
        )}
      </div>
      {own && (
        <div className="cat-head-switch">
          <EnabledSwitch project={project} plugin={own.id} name={name} on={own.enabled} label={t('page.enabled')} />
        </div>
      )}
    </header>
  )
}

export function DigestMark({ digest }: { digest: string }) {
  const { t } = useTranslation('catalogue')
  const clipboard = useClipboard({ timeout: 1500 })
  return (
    <span className="cat-digest">
      <Tooltip label={digest}>
        <span className="mono quiet">{short(digest)}</span>
      </Tooltip>
      <Tooltip label={t(clipboard.copied ? 'page.copied' : 'page.copyDigest')}>
        <ActionIcon size={24} aria-label={t('page.copyDigest')} onClick={() => clipboard.copy(digest)}>
          {clipboard.copied ? <IconCheck size={13} aria-hidden /> : <IconCopy size={13} aria-hidden />}
        </ActionIcon>
      </Tooltip>
    </span>
  )
}

/** What stands in the way of using the plugin, and what can be done about it. */
function Strips({
  installed,
  own,
  onReview,
}: {
  installed: InstalledPlugin
  own: Plugin | undefined
  onReview(v: PluginVersion): void
}) {
  const { t } = useTranslation('catalogue')
  const pending = installed.versions.filter((v) => v.state === 'pending')
  return (
    <div className="cat-strips">
      <Denied right="approve" />
      {pending.map((v) => (
        <Strip
          key={v.digest}
          s="waiting"
          icon={<IconHourglass size={18} aria-hidden />}
          action={
            <Button variant="default" onClick={() => onReview(v)}>
              {t('review.open')}
            </Button>
          }
        >
          {t('review.strip', { version: v.version })}
        </Strip>
      ))}
      {!own && pending.length === 0 && (
        <Strip s="failed" icon={<IconInfoCircle size={18} aria-hidden />}>
          <strong>{t('page.none')}</strong>
          <div>{t('page.noneHint')}</div>
        </Strip>
      )}
      {own?.enabled === false && (
        <Strip s="idle" icon={<IconInfoCircle size={18} aria-hidden />}>
          <strong>{t('page.off')}</strong>
          <div>{t('page.offHint')}</div>
        </Strip>
      )}
    </div>
  )
}

function Strip({ s, icon, action, children }: { s: string; icon: ReactNode; action?: ReactNode; children: ReactNode }) {
  return (
    <div className="notice cat-strip" data-s={s} role="status">
      {icon}
      <div className="grow">{children}</div>
      {action}
    </div>
  )
}

/** Brings what is chosen into sight where a narrow screen scrolls sideways. */
function reveal(element: HTMLElement | null): void {
  element?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
}

function PluginTabs(props: {
  project: string
  installed: InstalledPlugin
  own: Plugin | undefined
  manifest: Manifest
  onReview(v: PluginVersion): void
}) {
  const { t } = useTranslation('catalogue')
  const { project, installed, own, manifest, onReview } = props
  const { tab, action } = route.useSearch()
  const navigate = useNavigate()
  const chosen: Tab = tabs.find((x) => x === tab) ?? 'actions'
  const access = own && accessOf(own)
  const missing = access?.kind === 'some' && access.granted < access.asked ? access.asked - access.granted : 0
  const counts: Partial<Record<Tab, number>> = { actions: manifest.actions.length, access: missing || undefined }
  return (
    <Tabs
      value={chosen}
      onChange={(next) =>
        void navigate({ to: '.', search: next && next !== 'actions' ? { tab: next } : {}, replace: true })
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
                counts[x] ? (
                  <span className="cat-count num" data-s={x === 'access' ? 'waiting' : undefined}>
                    {counts[x]}
                  </span>
                ) : null
              }
            >
              {t(`page.tabs.${x}`)}
            </Tabs.Tab>
          )
        })}
      </Tabs.List>
      <Tabs.Panel value="actions">
        <ActionsTab
          manifest={manifest}
          chosen={action}
          onChoose={(id) => void navigate({ to: '.', search: { action: id }, replace: true })}
        />
      </Tabs.Panel>
      <Tabs.Panel value="access">
        <AccessTab project={project} manifest={manifest} own={own} />
      </Tabs.Panel>
      <Tabs.Panel value="uses">
        <UsesTab project={project} installed={installed} manifest={manifest} />
      </Tabs.Panel>
      <Tabs.Panel value="health">
        <HealthTab project={project} installed={installed} />
      </Tabs.Panel>
      <Tabs.Panel value="versions">
        <VersionsTab project={project} installed={installed} onReview={onReview} />
      </Tabs.Panel>
    </Tabs>
  )
}
