import { Switch, Tabs } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useId } from 'react'
import { useTranslation } from 'react-i18next'
import { queries } from '~/api/queries'
import { IconAlertTriangle } from '~/app/icons'
import { ErrorNotice, say, sayError } from '~/app/notices'
import { Rows } from '~/app/rows'
import { PluginTile } from '~/catalogue/parts'
import { useCodes } from '~/i18n/codes'
import { useText } from '~/i18n/text'
import { gateway, useSwitch } from './api'
import { OperationEditor } from './operation-edit'
import { OperationRemoval } from './operation-remove'
import { Endpoint, RiskPill } from './parts'
import { ParameterTable, SchemaTable } from './schema'
import { TryIt } from './try'
import type { Operation, OperationDetail, System } from './types'

interface Props {
  project: string
  system: System
  op: Operation
  onRemoved(): void
}

/** One operation: what it does and takes, who may call it, and a form to call it oneself. */
export function OperationView({ project, system, op, onRemoved }: Props) {
  const { t } = useTranslation('systems')
  const text = useText()
  const id = useId()
  const detail = useQuery(gateway.operation(project, system.id, op.id))
  return (
    <article className="cat-panel sys-operation" aria-labelledby={id}>
      <div className="cat-action-head">
        <h2 id={id}>{text(op.title)}</h2>
        <RiskPill risk={op.risk} />
        <span className="sys-grow" />
        <EnabledSwitch project={project} system={system} op={op} />
      </div>
      <div className="sys-line">
        <Endpoint op={op} base={system.base_url} />
      </div>
      {!op.enabled && (
        <div className="notice sys-why" data-s={op.disabled_by === 'change' ? 'waiting' : 'idle'} role="status">
          <IconAlertTriangle size={16} aria-hidden />
          <div className="grow">{t(`operations.off.${op.disabled_by ?? 'hand'}`)}</div>
        </div>
      )}
      {detail.data?.doc && <p className="cat-prose">{text(detail.data.doc)}</p>}
      <ul className="cat-chips sys-facts" aria-label={t('operations.facts')}>
        <li className="mono">{op.id}</li>
        <li>{t(`retry.${op.retry}`)}</li>
        {op.imported && <li>{t('operations.imported')}</li>}
      </ul>
      {detail.error && <ErrorNotice error={detail.error} onRetry={() => void detail.refetch()} />}
      {detail.isPending && <Rows />}
      {detail.data && (
        <Tabs defaultValue="takes" className="sys-inner" variant="pills">
          <Tabs.List>
            <Tabs.Tab value="takes">{t('operations.takes')}</Tabs.Tab>
            <Tabs.Tab value="answers">{t('operations.answers')}</Tabs.Tab>
            <Tabs.Tab value="try">{t('try.title')}</Tabs.Tab>
            <Tabs.Tab value="edit">{t('operations.edit')}</Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="takes">
            <Takes project={project} detail={detail.data} />
          </Tabs.Panel>
          <Tabs.Panel value="answers">
            <Answers detail={detail.data} />
          </Tabs.Panel>
          <Tabs.Panel value="try">
            <TryIt project={project} system={system} op={detail.data} />
          </Tabs.Panel>
          <Tabs.Panel value="edit" keepMounted={false}>
            <OperationEditor project={project} system={system} op={op} />
            <OperationRemoval project={project} system={system} op={detail.data} onRemoved={onRemoved} />
          </Tabs.Panel>
        </Tabs>
      )}
    </article>
  )
}

function EnabledSwitch({ project, system, op }: Omit<Props, 'onRemoved'>) {
  const { t } = useTranslation('systems')
  const text = useText()
  const codes = useCodes()
  const set = useSwitch(project, system.id)
  const name = text(op.title)
  return (
    <Switch
      label={t('operations.isOn')}
      checked={set.isPending ? set.variables.enabled : op.enabled}
      disabled={set.isPending}
      onChange={(e) =>
        set.mutate(
          { operations: [op.id], enabled: e.currentTarget.checked },
          {
            onSuccess: (_, { enabled }) => say(t(enabled ? 'operations.wasOn' : 'operations.wasOff', { name })),
            onError: (error) => sayError(codes.error(error)),
          },
        )
      }
    />
  )
}

function Takes({ project, detail }: { project: string; detail: OperationDetail }) {
  const { t } = useTranslation('systems')
  const parameters = detail.parameters ?? []
  return (
    <>
      <section aria-label={t('operations.parameters')}>
        <h3>{t('operations.parameters')}</h3>
        {parameters.length > 0 ? (
          <ParameterTable parameters={parameters} />
        ) : (
          <p className="quiet">{t('operations.noParameters')}</p>
        )}
      </section>
      {detail.body && (
        <section aria-label={t('operations.body')}>
          <h3>
            {t('operations.body')} {detail.body_required && <span className="quiet">{t('operations.required')}</span>}
          </h3>
          <SchemaTable schema={detail.body} />
        </section>
      )}
      <Callers project={project} detail={detail} />
    </>
  )
}

function Answers({ detail }: { detail: OperationDetail }) {
  const { t } = useTranslation('systems')
  const { success, response, response_headers: headers } = detail
  const statuses = success?.status ?? []
  return (
    <>
      <section aria-label={t('operations.success')}>
        <h3>{t('operations.success')}</h3>
        <p>{t('operations.successStatus', { statuses: statuses.length > 0 ? statuses.join(', ') : '200 – 299' })}</p>
        {success?.rule && <pre className="sys-code">{success.rule}</pre>}
        {success?.message && (
          <>
            <p className="quiet">{t('operations.successMessage')}</p>
            <pre className="sys-code">{success.message}</pre>
          </>
        )}
      </section>
      {headers && headers.length > 0 && (
        <section aria-label={t('operations.headers')}>
          <h3>{t('operations.headers')}</h3>
          <p className="mono">{headers.join(', ')}</p>
        </section>
      )}
      <section aria-label={t('operations.response')}>
        <h3>{t('operations.response')}</h3>
        {response ? <SchemaTable schema={response} /> : <p className="quiet">{t('operations.noResponse')}</p>}
      </section>
    </>
  )
}

/** Which plugins may call the operation. */
function Callers({ project, detail }: { project: string; detail: OperationDetail }) {
  const { t } = useTranslation('systems')
  const text = useText()
  const plugins = useQuery(queries.plugins(project))
  return (
    <section aria-label={t('operations.callers')}>
      <h3>{t('operations.callers')}</h3>
      {detail.plugins.length === 0 && <p className="quiet">{t('operations.noCallers')}</p>}
      <ul className="sys-callers">
        {detail.plugins.map((id) => {
          const plugin = plugins.data?.find((p) => p.id === id)
          return (
            <li key={id}>
              <PluginTile icon={plugin?.manifest.icon} />
              <Link to="/p/$project/plugins/$plugin" params={{ project, plugin: id }} search={{ tab: 'access' }}>
                {text(plugin?.manifest.title) || id}
              </Link>
            </li>
          )
        })}
      </ul>
    </section>
  )
}
