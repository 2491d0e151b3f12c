import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import type { Attempt, GatewayCall } from '~/api/types'
import { useFormat } from '~/app/format'
import { useCodes } from '~/i18n/codes'
import { NodePill } from '~/run/glyph'
import { useBy } from './by'

interface CallsProps {
  project: string
  run: string
  node: string
  calls: readonly GatewayCall[]
}

/** What went through the gateway for this attempt, each with whose fault a failure is. */
export function Calls({ project, run, node, calls }: CallsProps) {
  const { t } = useTranslation()
  const { t: own } = useTranslation('console')
  const whole = calls.reduce((sum, c) => sum + c.duration_ms, 0)
  const format = useFormat()
  if (calls.length === 0) return <p className="quiet">{t('node.noCalls')}</p>
  return (
    <>
      <p className="quiet num rn-sum">
        {own('calls.sum', { n: calls.length, time: format.duration(whole) })} ·{' '}
        <Link to="/p/$project/audit" params={{ project }} search={{ kind: 'call', run, node }}>
          {own('calls.audit')}
        </Link>
      </p>
      <ol className="rn-calls">
        {calls.map((call, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: calls are only ever added at the end
          <Call key={i} call={call} />
        ))}
      </ol>
    </>
  )
}

function Call({ call }: { call: GatewayCall }) {
  const { t } = useTranslation()
  const { t: own } = useTranslation('console')
  const format = useFormat()
  const codes = useCodes()
  const { failure } = call
  const bad = failure !== undefined || (call.status ?? 0) >= 400
  return (
    <li>
      <div className="rn-call">
        <span className="mono clip">
          {call.system}.{call.operation}
        </span>
        <span className="num" data-s={bad ? 'failed' : 'succeeded'}>
          {bad ? '✕' : '✓'} {call.status ?? failure?.code}
        </span>
      </div>
      <div className="quiet num">
        {format.time(call.at)} · {call.method} · {format.duration(call.duration_ms)}
      </div>
      {failure && (
        <dl className="rn-facts rn-why">
          <dt>{t('failureBox.title')}</dt>
          <dd className="sf-error">{codes.failure(failure)}</dd>
          <dt>{t('failureBox.fault')}</dt>
          <dd>{t(`origin.name.${failure.origin ?? 'host'}`)}</dd>
          {failure.request_id && (
            <>
              <dt>{t('failureBox.request')}</dt>
              <dd className="mono">{failure.request_id}</dd>
            </>
          )}
          {failure.attempts !== undefined && failure.attempts > 1 && (
            <>
              <dt>{t('failureBox.sent')}</dt>
              <dd className="num">{t('failureBox.times', { n: failure.attempts })}</dd>
            </>
          )}
          <dt>{t('failureBox.todo')}</dt>
          <dd>{codes.advice(failure)}</dd>
        </dl>
      )}
      {!failure && bad && <div className="quiet">{own('calls.refused')}</div>}
    </li>
  )
}

/** Every try of the node, newest first. */
export function History({ attempts, onShow }: { attempts: readonly Attempt[]; onShow(a: Attempt): void }) {
  const { t } = useTranslation()
  const format = useFormat()
  const codes = useCodes()
  const by = useBy()
  return (
    <ol className="rn-history">
      {[...attempts].reverse().map((a) => (
        <li key={`${a.iteration}/${a.attempt}`}>
          <div className="rn-call">
            <button type="button" className="rn-logname num" onClick={() => onShow(a)}>
              {t('node.attempt', { n: a.attempt })}
            </button>
            <NodePill view={a} />
          </div>
          <div className="quiet num">
            {format.full(a.started_at)}
            {a.started_at && a.ended_at && ` · ${format.duration(Date.parse(a.ended_at) - Date.parse(a.started_at))}`}
            {a.repeat !== undefined && ` · ${t('node.repeatN', { n: a.repeat })}`}
            {a.by && ` · ${by(a.by)}`}
          </div>
          {a.failure && <div className="sf-error">{codes.failure(a.failure)}</div>}
        </li>
      ))}
    </ol>
  )
}
