import type { TFunction } from 'i18next'
import { useTranslation } from 'react-i18next'
import { type Lang, langOf } from '~/i18n/text'

/** Writes times and durations in the language that is shown. */
export function useFormat() {
  const { t, i18n } = useTranslation()
  return formatIn(langOf(i18n), t)
}

/** As useFormat, for who has asked for the translation already. */
export function formatIn(lang: Lang, t: TFunction) {
  const locale = lang === 'zh' ? 'zh-CN' : 'en-GB'
  return {
    time: (iso: string | undefined) => (iso ? new Date(iso).toLocaleTimeString(locale, { hour12: false }) : ''),
    when: (iso: string | undefined) => (iso ? whenText(new Date(iso), locale) : ''),
    full: (iso: string | undefined) => (iso ? new Date(iso).toLocaleString(locale, { hour12: false }) : ''),
    duration: (ms: number) => durationText(ms, (unit, n) => t(`time.${unit}`, { n })),
    /** How long ago or for how long something is, in whole seconds: it does not flicker while it is watched. */
    age: (ms: number) =>
      durationText(Math.max(1000, Math.floor(ms / 1000) * 1000), (unit, n) =>
        t(`time.${unit}`, { n: unit === 's' ? Math.round(Number(n)) : n }),
      ),
  }
}

function whenText(date: Date, locale: string): string {
  const today = date.toDateString() === new Date().toDateString()
  const options: Intl.DateTimeFormatOptions = today
    ? { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false }
    : { month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', hour12: false }
  return date.toLocaleString(locale, options)
}

type Unit = 'ms' | 's' | 'm' | 'h' | 'd'

/** The two largest units of a duration: "1m 32s", "2h 5m", "340ms". */
function durationText(ms: number, word: (unit: Unit, n: number | string) => string): string {
  const whole = Math.max(0, Math.round(ms))
  if (whole < 1000) return word('ms', whole)
  if (whole < 10_000) return word('s', (whole / 1000).toFixed(1))
  const s = Math.floor(whole / 1000)
  if (s < 60) return word('s', s)
  if (s < 3600) return `${word('m', Math.floor(s / 60))} ${word('s', s % 60)}`
  if (s < 86_400) return `${word('h', Math.floor(s / 3600))} ${word('m', Math.floor((s % 3600) / 60))}`
  return `${word('d', Math.floor(s / 86_400))} ${word('h', Math.floor((s % 86_400) / 3600))}`
}
