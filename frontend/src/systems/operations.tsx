import { TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { useId } from 'react'
import { useTranslation } from 'react-i18next'
import { queries } from '~/api/queries'
import { IconSearch } from '~/app/icons'
import { EmptyState } from '~/app/notices'
import { PluginTile } from '~/catalogue/parts'
import { useText } from '~/i18n/text'
import { has, standings } from './model'
import { Endpoint, RiskPill } from './parts'
import { ParameterTable, SchemaTable } from './schema'
import type { Operation, System } from './types'

const route = getRouteApi('/p/$project/systems/$system')

/** How many operations are listed before a search is asked for. */
const shownMax = 200

/** What a system offers: each operation with its parameters and body. */
export function OperationsTab({ project, system }: { project: string; system: System }) {
  const { t } = useTranslation('systems')
  const text = useText()
  const { q = '', op } = route.useSearch()
  const navigate = useNavigate()
  const all = system.operations ?? []
  const found = all.filter((o) => has(q, o.id, text(o.title), o.path, o.method))
  const chosen = all.find((o) => o.id === op) ?? found[0]
  const search = (next: { q?: string; op?: string }) => {
    const merged = { q, op, ...next }
    void navigate({
      to: '.',
      search: { ...(merged.q ? { q: merged.q } : {}), ...(merged.op ? { op: merged.op } : {}) },
      replace: true,
    })
  }
  if (all.length === 0) return <EmptyState title={t('operations.empty')}>{t('operations.emptyHint')}</EmptyState>
  return (
    <div className="sys-operations">
      <div className="sys-side">
        <TextInput
          aria-label={t('operations.search')}
          placeholder={t('operations.search')}
          leftSection={<IconSearch size={14} aria-hidden />}
          defaultValue={q}
          onChange={(e) => search({ q: e.currentTarget.value })}
        />
        <nav aria-label={t('operations.list')}>
          {found.length === 0 && <p className="quiet">{t('operations.noMatch')}</p>}
          <ul>
            {found.slice(0, shownMax).map((o) => (
              <li key={o.id}>
                <button type="button" aria-current={o.id === chosen?.id} onClick={() => search({ op: o.id })}>
                  <span className="sys-method">{o.method}</span>
                  <span className="sys-op-text">
                    <span className="clip">{text(o.title)}</span>
                    <span className="quiet mono clip">{o.path}</span>
                  </span>
                </button>
              </li>
            ))}
          </ul>
          {found.length > shownMax && <p className="quiet">{t('operations.more', { n: found.length - shownMax })}</p>}
        </nav>
      </div>
      {chosen && <OperationView key={chosen.id} project={project} system={system} op={chosen} />}
    </div>
  )
}

interface OneProps {
  project: string
  system: System
  op: Operation
}

function OperationView({ project, system, op }: OneProps) {
  const { t } = useTranslation('systems')
  const text = useText()
  const id = useId()
  const parameters = op.parameters ?? []
  return (
    <article className="cat-panel sys-operation" aria-labelledby={id}>
      <div className="cat-action-head">
        <h2 id={id}>{text(op.title)}</h2>
        <RiskPill risk={op.risk} />
      </div>
      <div className="sys-line">
        <Endpoint op={op} base={system.base_url} />
      </div>
      {op.doc && <p className="cat-prose">{text(op.doc)}</p>}
      <ul className="cat-chips sys-facts" aria-label={t('operations.facts')}>
        <li className="mono">{op.id}</li>
        <li>{t(`retry.${op.retry}`)}</li>
      </ul>
      <section aria-label={t('operations.parameters')}>
        <h3>{t('operations.parameters')}</h3>
        {parameters.length > 0 ? (
          <ParameterTable parameters={parameters} />
        ) : (
          <p className="quiet">{t('operations.noParameters')}</p>
        )}
      </section>
      {op.body && (
        <section aria-label={t('operations.body')}>
          <h3>
            {t('operations.body')} {op.body_required && <span className="quiet">{t('operations.required')}</span>}
          </h3>
          <SchemaTable schema={op.body} />
        </section>
      )}
      <Callers project={project} system={system} op={op} />
    </article>
  )
}

/** Which plugins may call the operation. */
function Callers({ project, system, op }: OneProps) {
  const { t } = useTranslation('systems')
  const text = useText()
  const plugins = useQuery(queries.plugins(project))
  const granted = standings(plugins.data ?? [], system.id, op.id).filter((s) => s.granted)
  return (
    <section aria-label={t('operations.callers')}>
      <h3>{t('operations.callers')}</h3>
      {plugins.data && granted.length === 0 && <p className="quiet">{t('operations.noCallers')}</p>}
      <ul className="sys-callers">
        {granted.map(({ plugin }) => (
          <li key={plugin.id}>
            <PluginTile icon={plugin.manifest.icon} />
            <Link to="/p/$project/plugins/$plugin" params={{ project, plugin: plugin.id }} search={{ tab: 'access' }}>
              {text(plugin.manifest.title)}
            </Link>
          </li>
        ))}
      </ul>
    </section>
  )
}
