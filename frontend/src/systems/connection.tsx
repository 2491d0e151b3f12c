import { Button } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { useFormat } from '~/app/format'
import { IconAlertTriangle, IconCheck, IconMinus, IconPlugConnected } from '~/app/icons'
import { useCodes } from '~/i18n/codes'
import { useTestConnection } from './api'
import type { ConnectionResult, System } from './types'

const icons = { ok: IconCheck, failed: IconAlertTriangle, skipped: IconMinus } as const
const colours = { ok: 'succeeded', failed: 'failed', skipped: undefined } as const

/** Makes one call, and says how far it came. */
export function ConnectionTest({ project, system }: { project: string; system: System }) {
  const { t } = useTranslation('systems')
  const codes = useCodes()
  const test = useTestConnection(project, system.id)
  return (
    <section className="cat-panel sys-test" aria-label={t('connection.title')}>
      <div className="cat-action-head">
        <h2>{t('connection.title')}</h2>
        <span className="sys-grow" />
        <Button
          variant="default"
          leftSection={<IconPlugConnected size={14} aria-hidden />}
          loading={test.isPending}
          onClick={() => test.mutate()}
        >
          {t('connection.test')}
        </Button>
      </div>
      <p className="cat-prose">{t('connection.hint')}</p>
      {test.error && (
        <div className="sf-error" role="alert">
          {codes.error(test.error)}
        </div>
      )}
      <div aria-live="polite">{test.data && <Result result={test.data} />}</div>
    </section>
  )
}

function Result({ result: r }: { result: ConnectionResult }) {
  const { t } = useTranslation('systems')
  const format = useFormat()
  const codes = useCodes()
  return (
    <>
      <ol className="sys-steps">
        {r.steps.map((s) => {
          const Icon = icons[s.state]
          return (
            <li key={s.stage} data-s={colours[s.state]} data-state={s.state}>
              <Icon size={14} stroke={2.2} aria-hidden />
              <span>{t(`connection.stage.${s.stage}`)}</span>
              <span className="sr-only">{t(`connection.is.${s.state}`)}</span>
            </li>
          )
        })}
      </ol>
      <div className="notice" data-s={r.ok ? 'succeeded' : 'failed'} role="status">
        {r.ok ? <IconCheck size={16} aria-hidden /> : <IconAlertTriangle size={16} aria-hidden />}
        <div className="grow">
          <strong>
            {r.ok
              ? t('connection.ok', { time: format.duration(r.duration_ms) })
              : t('connection.failed', { stage: t(`connection.stage.${r.stage ?? 'http'}`) })}
          </strong>
          {!r.ok && r.code && (
            <div>
              {codes.failure({ code: r.code, message: r.message ?? '' })} <span className="mono">{r.code}</span>
            </div>
          )}
          {!r.ok && r.message && <div className="sys-message">{r.message}</div>}
          <div className="num sys-message">
            {r.operation
              ? t('connection.by', { operation: r.operation })
              : t(`connection.byBase.${r.base_because ?? 'no_read_operation'}`)}
            {r.http_status ? ` · HTTP ${r.http_status}` : ''}
          </div>
        </div>
      </div>
    </>
  )
}
