import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import type { InstalledPlugin, PluginUses } from '~/api/installed'
import type { Manifest } from '~/api/types'
import { useFormat } from '~/app/format'
import { EmptyState, ErrorNotice } from '~/app/notices'
import { Rows } from '~/app/rows'
import { useText } from '~/i18n/text'
import { RunPill } from '~/run/states'
import { catalogue } from './api'
import { short } from './entries'

/** Where a plugin is used in the project: flows, and runs that have not ended. */
export function UsesTab(props: { project: string; installed: InstalledPlugin; manifest: Manifest }) {
  const { t } = useTranslation('catalogue')
  const { project, installed, manifest } = props
  const { data, error, isPending, refetch } = useQuery(catalogue.uses(project, installed.id))
  if (isPending) return <Rows />
  if (error) return <ErrorNotice error={error} onRetry={() => void refetch()} />
  return (
    <div className="cat-uses">
      <section aria-label={t('uses.flows')}>
        <h2>{t('uses.flows')}</h2>
        {data.flows.length === 0 ? (
          <EmptyState title={t('uses.noFlows')}>{t('uses.noFlowsHint')}</EmptyState>
        ) : (
          <Flows project={project} uses={data} manifest={manifest} />
        )}
        {data.more_flows && <p className="quiet">{t('uses.more')}</p>}
      </section>
      <section aria-label={t('uses.runs')}>
        <h2>{t('uses.runs')}</h2>
        {data.runs.length === 0 ? (
          <p className="quiet cat-line">{t('uses.noRuns')}</p>
        ) : (
          <Runs project={project} uses={data} installed={installed} />
        )}
        {data.more_runs && <p className="quiet">{t('uses.more')}</p>}
      </section>
    </div>
  )
}

function Flows({ project, uses, manifest }: { project: string; uses: PluginUses; manifest: Manifest }) {
  const { t } = useTranslation('catalogue')
  const text = useText()
  const actionName = (id: string) => text(manifest.actions.find((a) => a.id === id)?.title) || id
  return (
    <table className="list">
      <thead>
        <tr>
          <th>{t('uses.flow')}</th>
          <th>{t('uses.where')}</th>
          <th>{t('uses.actions')}</th>
        </tr>
      </thead>
      <tbody>
        {uses.flows.map((f) => (
          <tr key={f.flow}>
            <td>
              <Link className="title" to="/p/$project/flows/$flow" params={{ project, flow: f.flow }}>
                {text(f.name) || f.flow}
              </Link>
              <div className="quiet mono">{f.flow}</div>
            </td>
            <td>
              <ul className="cat-chips">
                {f.draft && <li>{t('uses.draft')}</li>}
                {f.versions.length > 0 && (
                  <li className="num">{t('uses.versions', { list: f.versions.map((v) => `v${v}`).join(', ') })}</li>
                )}
              </ul>
              {f.latest > 0 && !f.versions.includes(f.latest) && <div className="quiet">{t('uses.notLatest')}</div>}
            </td>
            <td className="wide">{f.actions.map(actionName).join(', ')}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Runs({ project, uses, installed }: { project: string; uses: PluginUses; installed: InstalledPlugin }) {
  const { t } = useTranslation('catalogue')
  const text = useText()
  const format = useFormat()
  const all = Object.values(uses.live).reduce((sum, n) => sum + n, 0)
  const versionOf = (digest: string) => installed.versions.find((v) => v.digest === digest)?.version ?? short(digest)
  return (
    <>
      <table className="list">
        <thead>
          <tr>
            <th>{t('uses.run')}</th>
            <th>{t('uses.state')}</th>
            <th>{t('uses.pinned')}</th>
            <th>{t('uses.created')}</th>
          </tr>
        </thead>
        <tbody>
          {uses.runs.map((r) => (
            <tr key={r.id}>
              <td>
                <Link className="title" to="/p/$project/runs/$run" params={{ project, run: r.id }}>
                  {r.name || text(r.flow_name)}
                </Link>
                <div className="quiet">
                  {text(r.flow_name)} <span className="num">v{r.version}</span>
                </div>
              </td>
              <td>
                <RunPill state={r.state} />
              </td>
              <td className="num wide">{versionOf(r.digest)}</td>
              <td className="num quiet wide">{format.when(r.created_at)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {all > uses.runs.length && <p className="quiet">{t('uses.runsShown', { n: uses.runs.length, all })}</p>}
    </>
  )
}
