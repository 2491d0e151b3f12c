import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { useFormat } from '~/app/format'
import { IconCheck, IconHourglass, IconPlayerPause, IconRefresh } from '~/app/icons'
import { ErrorNotice, say, sayError } from '~/app/notices'
import { Rows } from '~/app/rows'
import { bytesText } from '~/catalogue/entries'
import { useCodes } from '~/i18n/codes'
import { useNow } from '~/run/ticker'
import { gateway, useReset } from './api'
import type { System, SystemState } from './types'

/** How often the figures are asked for while they are looked at. */
const watchedMs = 2000

const icons = { closed: IconCheck, open: IconPlayerPause, half_open: IconHourglass } as const
const colours = { closed: 'succeeded', open: 'failed', half_open: 'waiting' } as const

/** Whether calls go out to a system, as icon and word. */
export function BreakerPill({ state }: { state: SystemState }) {
  const { t } = useTranslation('systems')
  const at = state.breaker.state
  const Icon = icons[at]
  return (
    <span className="pill" data-s={colours[at]}>
      <Icon size={12} stroke={2.2} aria-hidden />
      {t(`state.breaker.${at}`)}
    </span>
  )
}

/** What goes on with a system now: calls, queue, the breaker, and the limits that hold. */
export function StateTab({ project, system }: { project: string; system: System }) {
  const { data, error, isPending, refetch } = useQuery(gateway.state(project, system.id, watchedMs))
  return (
    <div className="sys-state">
      {isPending && <Rows />}
      {error && <ErrorNotice error={error} onRetry={() => void refetch()} />}
      {data && (
        <>
          <Breaker project={project} system={system} state={data} />
          <Gauges state={data} />
          <LimitsPanel state={data} />
        </>
      )}
    </div>
  )
}

function Breaker({ project, system, state }: { project: string; system: System; state: SystemState }) {
  const { t } = useTranslation('systems')
  const codes = useCodes()
  const format = useFormat()
  const reset = useReset(project, system.id)
  const { breaker, last_failure: last } = state
  const now = useNow(breaker.state === 'open')
  const left = breaker.retry_at ? Math.max(0, Date.parse(breaker.retry_at) - now) : 0
  const at = breaker.state
  const Icon = icons[at]
  return (
    <section className="notice sys-breaker" data-s={colours[at]} aria-label={t('state.title')}>
      <Icon size={18} aria-hidden />
      <div className="grow">
        <strong>{t(`state.breaker.${at}`)}</strong>
        <div>{t(`state.about.${at}`, { time: format.duration(left) })}</div>
        {last && (
          <div className="num sys-last">
            {t('state.last', { when: format.when(last.at), code: last.code ?? '', status: last.http_status ?? '' })}
          </div>
        )}
      </div>
      {at !== 'closed' && (
        <Button
          variant="default"
          leftSection={<IconRefresh size={14} aria-hidden />}
          loading={reset.isPending}
          onClick={() =>
            reset.mutate(undefined, {
              onSuccess: () => say(t('state.wasReset')),
              onError: (e) => sayError(codes.error(e)),
            })
          }
        >
          {t('state.reset')}
        </Button>
      )}
    </section>
  )
}

function Gauges({ state }: { state: SystemState }) {
  const { t } = useTranslation('systems')
  const { limits, breaker } = state
  const places = limits.concurrency ?? 0
  const share = places > 0 ? Math.min(100, (100 * state.under_way) / places) : 0
  return (
    <dl className="cat-tiles sys-tiles">
      <div className="cat-stat" data-s={share >= 100 ? 'waiting' : undefined}>
        <dt>{t('state.underWay')}</dt>
        <dd className="num">
          {state.under_way}
          <span className="quiet sys-of">/ {places}</span>
        </dd>
        <dd>
          <div className="sys-bar" aria-hidden="true">
            <i style={{ width: `${share}%` }} />
          </div>
        </dd>
      </div>
      <div className="cat-stat" data-s={state.waiting > 0 ? 'waiting' : undefined}>
        <dt>{t('state.waiting')}</dt>
        <dd className="num">{state.waiting}</dd>
        <dd className="quiet">{t('state.waitingHint')}</dd>
      </div>
      <div className="cat-stat">
        <dt>{t('state.recent')}</dt>
        <dd className="num">{breaker.calls}</dd>
        <dd className="quiet">{t('state.recentHint')}</dd>
      </div>
      <div className="cat-stat" data-s={breaker.failures > 0 ? 'failed' : undefined}>
        <dt>{t('state.failures')}</dt>
        <dd className="num">
          {breaker.failures}
          {limits.breaker?.failures && <span className="quiet sys-of">/ {limits.breaker.failures}</span>}
        </dd>
        <dd className="quiet">{t('state.failuresHint')}</dd>
      </div>
    </dl>
  )
}

function LimitsPanel({ state }: { state: SystemState }) {
  const { t } = useTranslation('systems')
  const format = useFormat()
  const { limits: l } = state
  const time = (ms: number | undefined) => (ms ? format.duration(ms) : '–')
  const rows: [string, string][] = [
    [t('limits.timeout_ms'), time(l.timeout_ms)],
    [t('limits.concurrency'), String(l.concurrency ?? '–')],
    [t('limits.rate'), l.rate ? t('limits.perSecond', { n: l.rate }) : t('limits.noRate')],
    [t('limits.queue_ms'), time(l.queue_ms)],
    [t('limits.request_bytes'), bytesText(l.request_bytes ?? 0)],
    [t('limits.response_bytes'), bytesText(l.response_bytes ?? 0)],
    [t('limits.breaker'), t('limits.breakerText', { n: l.breaker?.failures ?? 0, time: time(l.breaker?.open_ms) })],
    [t('limits.retry'), t('limits.retryText', { n: l.retry?.attempts ?? 1 })],
  ]
  return (
    <section className="cat-limits sys-limits" aria-label={t('limits.title')}>
      <h3>{t('limits.title')}</h3>
      <dl>
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd className="num">{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  )
}
