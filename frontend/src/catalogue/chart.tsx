import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { HealthWindow, PluginHealth } from '~/api/installed'
import { useFormat } from '~/app/format'
import { useLang } from '~/i18n/text'

type Hours = PluginHealth['hours']

const height = 96

/** Calls by the hour: bars, what failed at their foot. Arrow keys go from hour to hour. */
export function HoursChart({ hours, window }: { hours: Hours; window: HealthWindow }) {
  const { t } = useTranslation('catalogue')
  const { when } = useHour(window)
  const [at, setAt] = useState<number | null>(null)
  const most = Math.max(1, ...hours.map((h) => h.calls))
  const calls = hours.reduce((sum, h) => sum + h.calls, 0)
  const failures = hours.reduce((sum, h) => sum + h.failures, 0)
  const move = (by: number) => setAt((old) => Math.min(hours.length - 1, Math.max(0, (old ?? hours.length - 1) + by)))
  const hour = at === null ? undefined : hours[at]
  const label = t('health.chart', { calls, failures })
  const told = hour ? t('health.bar', { when: when(hour.at), calls: hour.calls, failures: hour.failures }) : label
  return (
    <figure className="cat-chart">
      <figcaption>
        <span aria-live="polite" className="num">
          {told}
        </span>
        <span className="grow" />
        <span className="cat-legend">
          <i data-k="ok" /> {t('health.ok')} <i data-k="failed" /> {t('health.failures')}
        </span>
      </figcaption>
      <div
        className="cat-bars"
        role="slider"
        tabIndex={0}
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={hours.length - 1}
        aria-valuenow={at ?? hours.length - 1}
        aria-valuetext={told}
        onKeyDown={(e) => {
          const by = { ArrowLeft: -1, ArrowRight: 1, Home: -hours.length, End: hours.length }[e.key]
          if (by === undefined) return
          e.preventDefault()
          move(by)
        }}
        onBlur={() => setAt(null)}
        onPointerLeave={() => setAt(null)}
        style={{ height }}
      >
        {hours.map((h, i) => (
          <span key={h.at} data-at={i === at} onPointerEnter={() => setAt(i)}>
            {h.calls > 0 && (
              <b
                style={{ height: Math.max(3, ((h.calls - h.failures) / most) * (height - 6)) }}
                data-none={h.calls === h.failures}
              />
            )}
            {h.failures > 0 && <em style={{ height: Math.max(3, (h.failures / most) * (height - 6)) }} />}
          </span>
        ))}
      </div>
      <div className="cat-axis quiet num" aria-hidden="true">
        <span>{hours[0] && when(hours[0].at)}</span>
        <span>{t('health.max', { n: most })}</span>
        <span>{hours.at(-1) && when(hours.at(-1)?.at ?? '')}</span>
      </div>
    </figure>
  )
}

function useHour(window: HealthWindow) {
  const lang = useLang()
  const format = useFormat()
  const locale = lang === 'zh' ? 'zh-CN' : 'en-GB'
  const options: Intl.DateTimeFormatOptions =
    window === 'week'
      ? { month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', hour12: false }
      : { hour: '2-digit', minute: '2-digit', hour12: false }
  return { when: (iso: string) => (iso ? new Date(iso).toLocaleString(locale, options) : format.full(undefined)) }
}
