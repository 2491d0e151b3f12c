import { Button, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Grant, Manifest, Plugin } from '~/api/types'
import { Confirm } from '~/app/confirm'
import { useFormat } from '~/app/format'
import { IconAlertTriangle, IconCheck, IconLock, IconSearch } from '~/app/icons'
import { EmptyState, say, sayError } from '~/app/notices'
import { Rows } from '~/app/rows'
import { useCodes } from '~/i18n/codes'
import { useText } from '~/i18n/text'
import { type Group, grantsAfter, groupsOf, type Row } from './access-model'
import { catalogue, useSetGrants } from './api'
import { bytesText } from './entries'
import { useDenied } from './parts'

/** From how many operations on a group is filtered, and how many of them are shown. */
const filteredFrom = 8
const shownMax = 50

type Ask = { rows: Row[]; approve: boolean }

/** What a plugin asks for, and what an administrator lets it do in the project. */
export function AccessTab({
  project,
  manifest,
  own,
}: {
  project: string
  manifest: Manifest
  own: Plugin | undefined
}) {
  const { t } = useTranslation('catalogue')
  const systems = useQuery(catalogue.systems(project))
  const groups = useMemo(() => groupsOf(manifest, own, systems.data?.items ?? []), [manifest, own, systems.data])
  const set = useSetGrants(project)
  const denied = useDenied('approve')
  const codes = useCodes()
  const [asking, setAsking] = useState<Ask | null>(null)
  const anySystem = (manifest.needs ?? []).some((n) => n.system === '*')
  const apply = ({ rows, approve }: Ask) =>
    own &&
    set.mutate(
      { plugin: own.id, grants: grantsAfter(own, rows, approve) },
      {
        onSuccess: () => say(t('access.saved')),
        onError: (e) => sayError(codes.error(e)),
        onSettled: () => setAsking(null),
      },
    )
  const change = (ask: Ask) => {
    const risky = ask.approve ? ask.rows.some((r) => r.known?.risk === 'destructive') : ask.rows.length > 1
    if (risky) setAsking(ask)
    else apply(ask)
  }
  return (
    <div className="cat-access">
      {groups.length === 0 ? (
        <EmptyState title={t('access.none')}>{t('access.noneHint')}</EmptyState>
      ) : (
        <p className="quiet">
          {denied ?? t('access.hint')} {anySystem && t('access.anySystem')}
        </p>
      )}
      {systems.error && (
        <div className="notice" data-s="waiting" role="status">
          <IconAlertTriangle size={16} aria-hidden />
          <div className="grow">{t('access.systemsFailed')}</div>
        </div>
      )}
      {systems.isPending && groups.length > 0 ? (
        <Rows />
      ) : (
        groups.map((g) => (
          <SystemGroup
            key={g.system}
            group={g}
            anySystem={anySystem}
            disabled={!own || set.isPending || denied !== undefined}
            onChange={change}
          />
        ))
      )}
      <LimitsPanel manifest={manifest} />
      <Confirm
        opened={asking !== null}
        title={t(asking?.approve ? 'access.confirmTitle' : 'access.denyAll')}
        confirm={t(asking?.approve ? 'access.approve' : 'access.deny')}
        danger
        busy={set.isPending}
        onConfirm={() => asking && apply(asking)}
        onClose={() => setAsking(null)}
      >
        {asking && <ConfirmText ask={asking} />}
      </Confirm>
    </div>
  )
}

function ConfirmText({ ask }: { ask: Ask }) {
  const { t } = useTranslation('catalogue')
  const text = useText()
  if (!ask.approve) return t('access.confirmDenyText')
  const risky = ask.rows.filter((r) => r.known?.risk === 'destructive')
  const only = risky[0]
  if (ask.rows.length === 1 && only) return t('access.confirmText', { name: text(only.known?.title) || nameOf(only) })
  return t('access.confirmAllText', { n: risky.length })
}

function nameOf(g: Grant): string {
  return `${g.system}/${g.operation}`
}

interface GroupProps {
  group: Group
  anySystem: boolean
  disabled: boolean
  onChange(ask: Ask): void
}

function SystemGroup({ group, anySystem, disabled, onChange }: GroupProps) {
  const { t } = useTranslation('catalogue')
  const text = useText()
  const [query, setQuery] = useState('')
  const many = group.any && group.rows.length > filteredFrom
  const shown = many ? filtered(group.rows, query, text) : group.rows
  const granted = group.rows.filter((r) => r.granted)
  const open = group.rows.filter((r) => !r.granted && r.known)
  return (
    <section className="cat-group" aria-label={text(group.view?.title) || group.system}>
      <header>
        <h3>{text(group.view?.title) || group.system}</h3>
        <span className="mono quiet clip">{group.view?.base_url ?? group.system}</span>
        {!group.view && (
          <span className="pill" data-s="waiting">
            <IconAlertTriangle size={12} aria-hidden />
            {t('access.unknownSystem')}
          </span>
        )}
        <span className="grow" />
        <span className="quiet num">{t('list.granted', { n: granted.length, all: group.rows.length })}</span>
        {!group.any && open.length > 1 && (
          <Button
            size="compact-xs"
            variant="default"
            disabled={disabled}
            onClick={() => onChange({ rows: open, approve: true })}
          >
            {t('access.approveAll')}
          </Button>
        )}
        {granted.length > 1 && (
          <Button
            size="compact-xs"
            variant="subtle"
            color="gray"
            disabled={disabled}
            onClick={() => onChange({ rows: granted, approve: false })}
          >
            {t('access.denyAll')}
          </Button>
        )}
      </header>
      {group.any && !anySystem && <p className="quiet">{t('access.any')}</p>}
      {many && (
        <TextInput
          aria-label={t('access.filter')}
          placeholder={t('access.filter')}
          leftSection={<IconSearch size={14} aria-hidden />}
          value={query}
          onChange={(e) => setQuery(e.currentTarget.value)}
          maw={320}
        />
      )}
      {shown.length === 0 && <p className="quiet">{t('access.noMatch')}</p>}
      <ul>
        {shown.slice(0, shownMax).map((r) => (
          <OperationRow key={r.operation} row={r} disabled={disabled} onChange={onChange} />
        ))}
      </ul>
      {shown.length > shownMax && <p className="quiet">{t('access.more', { n: shown.length - shownMax })}</p>}
    </section>
  )
}

/** The operations that match; without a query those that are granted come first. */
function filtered(rows: readonly Row[], query: string, text: ReturnType<typeof useText>): Row[] {
  const wanted = query.trim().toLowerCase()
  const found = rows.filter((r) =>
    [r.operation, text(r.known?.title), r.known?.path ?? ''].some((s) => s.toLowerCase().includes(wanted)),
  )
  return wanted ? found : found.toSorted((a, b) => Number(b.granted) - Number(a.granted))
}

const risks = { read: 'revoked', write: 'waiting', destructive: 'failed' } as const

function OperationRow({ row, disabled, onChange }: { row: Row; disabled: boolean; onChange(ask: Ask): void }) {
  const { t } = useTranslation('catalogue')
  const text = useText()
  const { known } = row
  const name = text(known?.title) || row.operation
  return (
    <li className="cat-op" data-granted={row.granted}>
      <span className="cat-op-state" data-s={row.granted ? 'succeeded' : undefined}>
        {row.granted ? <IconCheck size={15} stroke={2.2} aria-hidden /> : <IconLock size={14} aria-hidden />}
        <span className="sr-only">{t(row.granted ? 'access.granted' : 'access.denied')}</span>
      </span>
      <div className="cat-op-name">
        <span>{name}</span>
        <span className="mono quiet clip">{known ? `${known.method} ${known.path}` : nameOf(row)}</span>
      </div>
      {known ? (
        <span className="pill cat-risk" data-s={risks[known.risk]}>
          {t(`access.risk.${known.risk}`)}
        </span>
      ) : (
        <span className="pill cat-risk" data-s="waiting">
          {t('access.unknownOperation')}
        </span>
      )}
      {row.stale && <span className="quiet">{t('access.notAsked')}</span>}
      {row.granted ? (
        <Button
          size="compact-xs"
          variant="subtle"
          color="gray"
          disabled={disabled}
          aria-label={t('access.denyNamed', { name })}
          onClick={() => onChange({ rows: [row], approve: false })}
        >
          {t('access.deny')}
        </Button>
      ) : (
        <Button
          size="compact-xs"
          variant="default"
          disabled={disabled}
          aria-label={t('access.approveNamed', { name })}
          onClick={() => onChange({ rows: [row], approve: true })}
        >
          {t('access.approve')}
        </Button>
      )}
    </li>
  )
}

const limits = ['memory_bytes', 'timeout_ms', 'output_bytes', 'log_bytes', 'host_calls'] as const

/** The limits that a manifest asks for; in brief, without those that it leaves to the platform. */
export function LimitsPanel({ manifest, brief = false }: { manifest: Manifest; brief?: boolean }) {
  const { t } = useTranslation('catalogue')
  const format = useFormat()
  const value = (name: (typeof limits)[number]): string => {
    const n = manifest.limits?.[name] ?? 0
    if (n === 0) return t('limit.default')
    if (name === 'timeout_ms') return format.duration(n)
    return name === 'host_calls' ? String(n) : bytesText(n)
  }
  const shown = limits.filter((name) => !brief || manifest.limits?.[name])
  if (shown.length === 0) return null
  return (
    <section className="cat-limits" aria-label={t('limit.title')}>
      <h3>{t('limit.title')}</h3>
      <dl>
        {shown.map((name) => (
          <div key={name}>
            <dt>{t(`limit.${name}`)}</dt>
            <dd className="num" data-default={!manifest.limits?.[name]}>
              {value(name)}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  )
}
