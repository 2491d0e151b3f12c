import { Button, SegmentedControl, Switch, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { Suspense, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { queries } from '~/api/queries'
import { IconAlertTriangle, IconHourglass, IconPlayerStop, IconSearch, IconUpload } from '~/app/icons'
import { lazy } from '~/app/lazy'
import { EmptyState, ErrorNotice, say, sayError } from '~/app/notices'
import { Rows } from '~/app/rows'
import { Crumbs } from '~/app/shell'
import { useCodes } from '~/i18n/codes'
import { useText } from '~/i18n/text'
import { catalogue, useSetEnabled } from './api'
import './catalogue.css'
import { type Entry, entriesOf, matches, needsAttention } from './entries'
import { AccessMark, Denied, HealthMark, off, PluginTile, TrustMark, useDenied } from './parts'

const InstallDialog = lazy(() => import('./install').then((m) => ({ default: m.InstallDialog })))

const route = getRouteApi('/p/$project/plugins')

type Show = 'attention' | 'off' | undefined

/** The catalogue: every plugin of the installation, as the project sees it. */
export function PluginsPage() {
  const { t } = useTranslation('catalogue')
  const { t: common } = useTranslation()
  const { project } = route.useParams()
  const { q = '', show } = route.useSearch()
  const navigate = useNavigate()
  const installed = useQuery(catalogue.installed())
  const plugins = useQuery(queries.plugins(project))
  const health = useQuery(catalogue.summaries(project))
  const [installing, setInstalling] = useState(false)
  const search = (next: { q?: string; show?: Show }) => {
    const merged = { q, show, ...next }
    void navigate({
      to: '.',
      search: { ...(merged.q ? { q: merged.q } : {}), ...(merged.show ? { show: merged.show } : {}) },
      replace: true,
    })
  }
  // The figures of the last day are no reason to show nothing.
  const error = installed.error ?? plugins.error
  const ready = installed.data && plugins.data
  const entries = ready ? entriesOf(installed.data, plugins.data, health.data?.items ?? []) : []
  const waiting = entries.filter(needsAttention).length
  const shown = entries.filter((e) => matches(e, q) && passes(e, show))
  const denied = useDenied('publish')
  const install = (
    <Button leftSection={<IconUpload size={15} aria-hidden />} onClick={() => setInstalling(!denied)} {...off(denied)}>
      {t('list.install')}
    </Button>
  )
  return (
    <div className="page">
      <Crumbs>
        <span className="sep shell-wide">/</span>
        <span aria-current="page">{common('nav.plugins')}</span>
      </Crumbs>
      <div className="page-head">
        <h1>{common('nav.plugins')}</h1>
        <span className="grow" />
        <SegmentedControl
          aria-label={t('list.show')}
          value={show ?? 'all'}
          onChange={(value) => search({ show: value === 'all' ? undefined : (value as Show) })}
          data={[
            { value: 'all', label: t('list.all') },
            { value: 'attention', label: waiting > 0 ? `${t('list.attention')} ${waiting}` : t('list.attention') },
            { value: 'off', label: t('list.off') },
          ]}
        />
        <TextInput
          aria-label={t('list.search')}
          placeholder={t('list.search')}
          leftSection={<IconSearch size={14} aria-hidden />}
          defaultValue={q}
          onChange={(e) => search({ q: e.currentTarget.value })}
          className="cat-search"
        />
        {install}
      </div>
      <div className="cat-strips">
        <Denied right="publish" />
        <Denied right="approve" />
      </div>
      {!ready && !error && <Rows />}
      {error && (
        <ErrorNotice
          error={error}
          onRetry={() => {
            void installed.refetch()
            void plugins.refetch()
          }}
        />
      )}
      {ready && entries.length === 0 && (
        <EmptyState title={t('list.empty')} action={install}>
          {t('list.emptyHint')}
        </EmptyState>
      )}
      {ready && entries.length > 0 && shown.length === 0 && (
        <EmptyState
          title={t('list.noMatch')}
          action={
            <Button variant="default" onClick={() => void navigate({ to: '.', search: {}, replace: true })}>
              {t('list.showAll')}
            </Button>
          }
        />
      )}
      {shown.length > 0 && <PluginTable project={project} entries={shown} />}
      {installing && (
        <Suspense fallback={null}>
          <InstallDialog project={project} onClose={() => setInstalling(false)} />
        </Suspense>
      )}
    </div>
  )
}

function passes(e: Entry, show: Show): boolean {
  if (show === 'attention') return needsAttention(e)
  return show === 'off' ? e.own?.enabled === false : true
}

function PluginTable({ project, entries }: { project: string; entries: Entry[] }) {
  const { t } = useTranslation('catalogue')
  return (
    <table className="list cat-list">
      <thead>
        <tr>
          <th>{t('list.name')}</th>
          <th>{t('list.version')}</th>
          <th>{t('list.access')}</th>
          <th>{t('list.day')}</th>
          <th>{t('list.inProject')}</th>
        </tr>
      </thead>
      <tbody>
        {entries.map((e) => (
          <PluginRow key={e.installed.id} project={project} entry={e} />
        ))}
      </tbody>
    </table>
  )
}

function PluginRow({ project, entry }: { project: string; entry: Entry }) {
  const text = useText()
  const { installed, own, current } = entry
  const name = text(installed.title)
  return (
    <tr data-off={own?.enabled === false}>
      <td>
        <div className="cat-name">
          <PluginTile icon={installed.icon} />
          <div>
            <Link className="title" to="/p/$project/plugins/$plugin" params={{ project, plugin: installed.id }}>
              {name}
            </Link>
            <Pills entry={entry} />
            <div className="quiet cat-doc">{installed.doc ? text(installed.doc) : installed.id}</div>
            <div className="cat-narrow">
              {current && <TrustMark version={current} />}
              {own && <AccessMark plugin={own} />}
              {(entry.health?.calls ?? 0) > 0 && <HealthMark health={entry.health} />}
            </div>
          </div>
        </div>
      </td>
      <td className="wide">
        {current ? (
          <div className="cat-version">
            <span className="num">{current.version}</span>
            <TrustMark version={current} />
          </div>
        ) : (
          <span className="quiet">–</span>
        )}
      </td>
      <td className="wide">{own ? <AccessMark plugin={own} /> : <span className="quiet">–</span>}</td>
      <td className="wide">
        <HealthMark health={entry.health} />
      </td>
      <td className="act">
        {own && <EnabledSwitch project={project} plugin={installed.id} name={name} on={own.enabled} />}
      </td>
    </tr>
  )
}

function Pills({ entry }: { entry: Entry }) {
  const { t } = useTranslation('catalogue')
  return (
    <>
      {entry.pending.map((v) => (
        <span key={v.digest} className="pill cat-pill" data-s="waiting">
          <IconHourglass size={12} stroke={2.2} aria-hidden />
          {t('list.pendingPill', { version: v.version })}
        </span>
      ))}
      {entry.own?.enabled === false && (
        <span className="pill cat-pill" data-s="revoked">
          <IconPlayerStop size={12} stroke={2.2} aria-hidden />
          {t('list.offPill')}
        </span>
      )}
      {!entry.own && entry.pending.length === 0 && (
        <span className="pill cat-pill" data-s="failed">
          <IconAlertTriangle size={12} stroke={2.2} aria-hidden />
          {t('list.unusable')}
        </span>
      )}
    </>
  )
}

/** Switches a plugin on or off in the project, at once. */
export function EnabledSwitch({
  project,
  plugin,
  name,
  on,
  label,
}: {
  project: string
  plugin: string
  name: string
  on: boolean
  label?: string
}) {
  const { t } = useTranslation('catalogue')
  const codes = useCodes()
  const set = useSetEnabled(project)
  const denied = useDenied('approve')
  const change = (enabled: boolean) =>
    set.mutate(
      { plugin, enabled },
      {
        onSuccess: () => say(t(enabled ? 'list.wasEnabled' : 'list.wasDisabled', { name })),
        onError: (e) => sayError(codes.error(e)),
      },
    )
  return (
    <Switch
      checked={set.isPending ? set.variables.enabled : on}
      onChange={(e) => change(e.currentTarget.checked)}
      label={label}
      aria-label={label ? undefined : t('list.enable', { name })}
      disabled={set.isPending || denied !== undefined}
      title={denied}
    />
  )
}
