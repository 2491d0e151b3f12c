import { Button, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { IconPlus, IconSearch, IconUpload } from '~/app/icons'
import { EmptyState, ErrorNotice } from '~/app/notices'
import { Crumbs } from '~/app/shell'
import '~/catalogue/catalogue.css'
import { Rows } from '~/app/rows'
import { useText } from '~/i18n/text'
import { gateway } from './api'
import { has } from './model'
import { CredentialMark, SystemTile } from './parts'
import { BreakerPill } from './state'
import './registry.css'
import './systems.css'
import type { System } from './types'

const route = getRouteApi('/p/$project/systems')

/** How often the states are asked for while the list is looked at. */
const refreshMs = 15_000

/** The outside systems of a project, and how things are with each. */
export function SystemsPage() {
  const { t } = useTranslation('systems')
  const { t: common } = useTranslation()
  const { t: registry } = useTranslation('registry')
  const { project } = route.useParams()
  const { q = '' } = route.useSearch()
  const navigate = useNavigate()
  const text = useText()
  const { data, error, isPending, refetch } = useQuery(gateway.systems(project))
  const search = (next: string) => void navigate({ to: '.', search: next ? { q: next } : {}, replace: true })
  const shown = (data ?? []).filter((s) => has(q, s.id, text(s.title), s.base_url))
  return (
    <div className="page">
      <Crumbs>
        <span className="sep shell-wide">/</span>
        <span aria-current="page">{common('nav.systems')}</span>
      </Crumbs>
      <div className="page-head">
        <h1>{common('nav.systems')}</h1>
        <span className="grow" />
        <TextInput
          aria-label={t('list.search')}
          placeholder={t('list.search')}
          leftSection={<IconSearch size={14} aria-hidden />}
          defaultValue={q}
          onChange={(e) => search(e.currentTarget.value)}
          className="cat-search"
        />
        <NewLinks project={project} />
      </div>
      {isPending && <Rows />}
      {error && <ErrorNotice error={error} onRetry={() => void refetch()} />}
      {data?.length === 0 && <EmptyState title={t('list.empty')}>{registry('list.importHint')}</EmptyState>}
      {data && data.length > 0 && shown.length === 0 && <EmptyState title={t('list.noMatch')} />}
      {shown.length > 0 && <SystemTable project={project} systems={shown} />}
    </div>
  )
}

function NewLinks({ project }: { project: string }) {
  const { t } = useTranslation('registry')
  const navigate = useNavigate()
  return (
    <div className="sys-new">
      <Button
        variant="default"
        leftSection={<IconPlus size={14} aria-hidden />}
        onClick={() => void navigate({ to: '/p/$project/system-new', params: { project } })}
      >
        {t('list.create')}
      </Button>
      <Button
        leftSection={<IconUpload size={14} aria-hidden />}
        onClick={() => void navigate({ to: '/p/$project/system-import', params: { project } })}
      >
        {t('list.import')}
      </Button>
    </div>
  )
}

function SystemTable({ project, systems }: { project: string; systems: System[] }) {
  const { t } = useTranslation('systems')
  return (
    <table className="list sys-list">
      <thead>
        <tr>
          <th>{t('list.name')}</th>
          <th>{t('list.address')}</th>
          <th>{t('list.operations')}</th>
          <th>{t('list.credential')}</th>
          <th>{t('list.state')}</th>
        </tr>
      </thead>
      <tbody>
        {systems.map((s) => (
          <SystemRow key={s.id} project={project} system={s} />
        ))}
      </tbody>
    </table>
  )
}

function SystemRow({ project, system }: { project: string; system: System }) {
  const { t } = useTranslation('systems')
  const text = useText()
  const state = useQuery(gateway.state(project, system.id, refreshMs))
  return (
    <tr>
      <td>
        <div className="cat-name">
          <SystemTile />
          <div>
            <Link className="title" to="/p/$project/systems/$system" params={{ project, system: system.id }}>
              {text(system.title)}
            </Link>
            <div className="quiet mono clip">{system.id}</div>
            <div className="cat-narrow">
              <span className="mono quiet clip">{system.base_url}</span>
            </div>
          </div>
        </div>
      </td>
      <td className="wide">
        <span className="mono sys-url">{system.base_url}</span>
      </td>
      <td className="num wide">{t('list.count', { n: system.operations?.length ?? 0 })}</td>
      <td>
        <CredentialMark system={system} />
      </td>
      <td className="wide">{state.data && <BreakerPill state={state.data} />}</td>
    </tr>
  )
}
