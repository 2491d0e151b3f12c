import { ActionIcon, Button, SegmentedControl } from '@mantine/core'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { Fragment, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { queries } from '~/api/queries'
import { useFormat } from '~/app/format'
import { IconAlertTriangle, IconBan, IconCheck, IconChevronRight, IconDownload, IconRefresh } from '~/app/icons'
import { EmptyState, ErrorNotice } from '~/app/notices'
import { Crumbs } from '~/app/shell'
import '~/catalogue/catalogue.css'
import { Rows } from '~/app/rows'
import { useText } from '~/i18n/text'
import { exportHref, gateway } from './api'
import { EntryDetail } from './audit-detail'
import { AuditFilters } from './audit-filters'
import { type AuditFilter, cameFrom, colourOf, filtersSet, subjectOf } from './audit-model'
import './systems.css'
import type { AuditEntry } from './types'

const route = getRouteApi('/p/$project/audit')

/** What went through the gateway, and what was changed: who, what, and how it ended. */
export function AuditPage() {
  const { t } = useTranslation('systems')
  const { t: common } = useTranslation()
  const { project } = route.useParams()
  const filter = route.useSearch() as AuditFilter
  const navigate = useNavigate()
  const { data, error, isPending, isFetching, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } =
    useInfiniteQuery(gateway.audit(project, filter))
  const items = data?.pages.flatMap((p) => p.items) ?? []
  const search = (next: AuditFilter) => {
    const kept = Object.entries(next).filter(([, value]) => value)
    void navigate({ to: '.', search: Object.fromEntries(kept), replace: true })
  }
  const narrowed = filtersSet(filter) > 0
  const [unfolded, setUnfolded] = useState(false)
  return (
    <div className="page">
      <Crumbs>
        <span className="sep shell-wide">/</span>
        <span aria-current="page">{common('nav.audit')}</span>
      </Crumbs>
      <div className="page-head sys-audit-head">
        <h1>{common('nav.audit')}</h1>
        <SegmentedControl
          aria-label={t('audit.kind')}
          value={filter.kind ?? 'call'}
          onChange={(value) => search(value === 'call' ? {} : { kind: value as 'admin' | 'callback' })}
          data={[
            { value: 'call', label: t('audit.calls') },
            { value: 'admin', label: t('audit.changes') },
            { value: 'callback', label: t('audit.callbacks') },
          ]}
        />
        <span className="grow" />
        <Button
          variant="default"
          className="sys-unfold"
          aria-expanded={unfolded}
          onClick={() => setUnfolded(!unfolded)}
        >
          {t('audit.filters')}
          {narrowed && ` ${filtersSet(filter)}`}
        </Button>
        <Button
          variant="default"
          className="sys-brief"
          component="a"
          href={exportHref(project, filter, Date.now())}
          download
          title={t('audit.exportHint')}
          leftSection={<IconDownload size={14} aria-hidden />}
        >
          {t('audit.export')}
        </Button>
        <Button
          variant="default"
          className="sys-brief"
          leftSection={<IconRefresh size={14} aria-hidden />}
          loading={isFetching && !isPending && !isFetchingNextPage}
          onClick={() => void refetch()}
        >
          {t('audit.refresh')}
        </Button>
      </div>
      <AuditFilters project={project} filter={filter} open={unfolded} onChange={search} />
      {isPending && <Rows />}
      {error && <ErrorNotice error={error} onRetry={() => void refetch()} />}
      {data && items.length === 0 && narrowed && (
        <EmptyState
          title={t('audit.noMatch')}
          action={
            <Button variant="default" onClick={() => search(filter.kind ? { kind: filter.kind } : {})}>
              {t('audit.clear')}
            </Button>
          }
        />
      )}
      {data && items.length === 0 && !narrowed && (
        <EmptyState title={t(empty[filter.kind ?? 'call'])}>{t(`${empty[filter.kind ?? 'call']}Hint`)}</EmptyState>
      )}
      {items.length > 0 && <EntryTable project={project} entries={items} changes={filter.kind === 'admin'} />}
      {hasNextPage && (
        <Button variant="subtle" mt="sm" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          {common('action.more')}
        </Button>
      )}
    </div>
  )
}

/** What is said where there is nothing. */
const empty = { call: 'audit.noCalls', admin: 'audit.noChanges', callback: 'audit.noCallbacks' } as const

function EntryTable({ project, entries, changes }: { project: string; entries: AuditEntry[]; changes: boolean }) {
  const { t } = useTranslation('systems')
  const [open, setOpen] = useState<number | null>(null)
  return (
    <table className="list sys-audit">
      <thead>
        <tr>
          <th>{t('audit.at')}</th>
          <th>{t(changes ? 'audit.change' : 'audit.call')}</th>
          <th>{t('audit.outcome')}</th>
          <th>{t('audit.by')}</th>
          {!changes && <th>{t('audit.took')}</th>}
          <th aria-label={t('audit.detail')} />
        </tr>
      </thead>
      <tbody>
        {entries.map((e) => (
          <Fragment key={e.seq}>
            <EntryRow
              project={project}
              entry={e}
              changes={changes}
              open={open === e.seq}
              onToggle={() => setOpen(open === e.seq ? null : e.seq)}
            />
            {open === e.seq && (
              <tr className="sys-entry" id={`entry-${e.seq}`}>
                <td colSpan={changes ? 5 : 6}>
                  <EntryDetail project={project} entry={e} />
                </td>
              </tr>
            )}
          </Fragment>
        ))}
      </tbody>
    </table>
  )
}

interface RowProps {
  project: string
  entry: AuditEntry
  changes: boolean
  open: boolean
  onToggle(): void
}

function EntryRow({ project, entry: e, changes, open, onToggle }: RowProps) {
  const { t } = useTranslation('systems')
  const format = useFormat()
  return (
    <tr data-open={open}>
      <td className="num quiet sys-when" title={format.full(e.at)}>
        {format.when(e.at)}
      </td>
      <td className="sys-what">{changes ? <ChangeName entry={e} /> : <CallName project={project} entry={e} />}</td>
      <td>
        <OutcomePill entry={e} />
      </td>
      <td className="wide sys-by">
        <Who project={project} entry={e} />
      </td>
      {!changes && (
        <td className="num quiet wide">{e.duration_us === undefined ? '' : format.duration(e.duration_us / 1000)}</td>
      )}
      <td className="act">
        <ActionIcon
          aria-label={t('audit.show', { seq: e.seq })}
          aria-expanded={open}
          aria-controls={open ? `entry-${e.seq}` : undefined}
          onClick={onToggle}
        >
          <IconChevronRight size={15} aria-hidden className="sys-chevron" data-open={open} />
        </ActionIcon>
      </td>
    </tr>
  )
}

/** The operation as people know it, or by its id where it is not registered any more. */
function CallName({ project, entry: e }: { project: string; entry: AuditEntry }) {
  const text = useText()
  const systems = useQuery(gateway.systems(project))
  const system = systems.data?.find((s) => s.id === e.system)
  const op = system?.operations?.find((o) => o.id === e.operation)
  return (
    <>
      <Link
        className="title"
        to="/p/$project/systems/$system"
        params={{ project, system: e.system ?? '' }}
        search={{ op: e.operation }}
      >
        {text(op?.title) || e.operation}
      </Link>
      <div className="quiet clip">
        {text(system?.title) || e.system} <span className="mono">{e.operation}</span>
      </div>
    </>
  )
}

function ChangeName({ entry: e }: { entry: AuditEntry }) {
  const { t, i18n } = useTranslation('registry')
  const key = `action.${e.action?.replaceAll('.', '_')}`
  const known = i18n.exists(key, { ns: 'registry' })
  return (
    <>
      <strong className="sys-action">{known ? (t as unknown as (k: string) => string)(key) : e.action}</strong>
      <div className="quiet mono clip">{subjectOf(e)}</div>
    </>
  )
}

const outcomeIcons = { ok: IconCheck, refused: IconBan, failed: IconAlertTriangle } as const

function OutcomePill({ entry: e }: { entry: AuditEntry }) {
  const { t } = useTranslation('systems')
  const Icon = outcomeIcons[e.outcome]
  return (
    <span className="pill num" data-s={colourOf(e)}>
      <Icon size={12} stroke={2.2} aria-hidden />
      {t(`audit.is.${e.outcome}`)}
      {e.status !== undefined && e.status !== 0 && ` ${e.status}`}
    </span>
  )
}

/** Who acted: a plugin in a run, or a person. */
function Who({ project, entry: e }: { project: string; entry: AuditEntry }) {
  const { t } = useTranslation('systems')
  const text = useText()
  const plugins = useQuery(queries.plugins(project))
  if (!e.run) {
    return (
      <>
        {e.actor}
        {e.kind === 'call' && !e.plugin && <div className="quiet">{t('audit.tried')}</div>}
      </>
    )
  }
  const plugin = plugins.data?.find((p) => p.id === e.plugin)
  const who = e.kind === 'callback' ? t('audit.cameFrom', { address: cameFrom(e) ?? '?' }) : e.plugin
  return (
    <>
      <span>{text(plugin?.manifest.title) || who}</span>
      <div className="clip">
        <Link
          className="sys-run"
          to="/p/$project/runs/$run"
          params={{ project, run: e.run }}
          search={e.node ? { node: e.node } : {}}
        >
          {e.node ? t('audit.node', { node: e.node }) : t('audit.run')}
        </Link>
        <span className="quiet"> · {e.actor}</span>
      </div>
    </>
  )
}
