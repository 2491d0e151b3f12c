import { Tooltip } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import type { HealthSummary, PluginState, PluginVersion } from '~/api/installed'
import { queries } from '~/api/queries'
import type { Plugin } from '~/api/types'
import { useFormat } from '~/app/format'
import {
  IconAlertTriangle,
  IconBan,
  IconCheck,
  IconClock,
  IconHourglass,
  IconMinus,
  IconShield,
  IconShieldCheckFilled,
} from '~/app/icons'
import { namedIcon } from '~/canvas/icons'
import { accessOf, percent } from './entries'

/** The icon of a plugin on its tile. */
export function PluginTile({ icon, large = false }: { icon: string | undefined; large?: boolean }) {
  const Icon = namedIcon(icon)
  return (
    <span className="cat-tile" data-large={large} aria-hidden="true">
      <Icon size={large ? 22 : 17} stroke={1.7} aria-hidden />
    </span>
  )
}

type Right = 'publish' | 'approve'

/** Why the server refuses what needs a right to plugins; nothing where it does not, or where that is not known yet. */
export function useDenied(right: Right): string | undefined {
  const { t } = useTranslation('codes')
  const { data } = useQuery(queries.meta())
  return data?.rights.includes(`plugin:${right}`) === false ? t(`denied.${right}`) : undefined
}

/** Says so on a page whose controls are off for it. */
export function Denied({ right }: { right: Right }) {
  const why = useDenied(right)
  return (
    why && (
      <div className="notice cat-strip" data-s="idle" role="status">
        <IconShield size={18} aria-hidden />
        <div className="grow">{why}</div>
      </div>
    )
  )
}

/** The properties of a button that is off for a reason: it can be reached, and tells it. */
export function off(why: string | undefined) {
  return why ? { 'aria-disabled': true, 'data-disabled': true, title: why } : {}
}

/** Who vouches for a version. */
export function TrustMark({ version }: { version: PluginVersion }) {
  const { t } = useTranslation('catalogue')
  const kind = version.shipped ? 'shipped' : version.trusted ? 'signed' : 'unsigned'
  const Icon = kind === 'unsigned' ? IconShield : IconShieldCheckFilled
  const publisher = [...new Set(version.signatures.map((s) => s.publisher))].join(', ')
  return (
    <Tooltip label={t(`trust.help.${kind}`)}>
      <span className="cat-trust" data-kind={kind}>
        <Icon size={14} stroke={1.8} aria-hidden />
        <span className="clip">{t(`trust.${kind}`, { publisher })}</span>
      </span>
    </Tooltip>
  )
}

const stateIcons = { pending: IconHourglass, active: IconCheck, withdrawn: IconMinus, blocked: IconBan } as const
const stateColours = { pending: 'waiting', active: undefined, withdrawn: undefined, blocked: 'failed' } as const

/** How far a version may be used, as icon and word. */
export function StatePill({ state, latest }: { state: PluginState; latest: boolean }) {
  const { t } = useTranslation('catalogue')
  const Icon = stateIcons[state]
  return (
    <span className="pill" data-s={latest ? 'succeeded' : stateColours[state]}>
      <Icon size={13} stroke={2.2} aria-hidden />
      {t(`state.${latest ? 'latest' : state}`)}
    </span>
  )
}

/** How much of what a plugin asks for it may do in the project. */
export function AccessMark({ plugin }: { plugin: Plugin }) {
  const { t } = useTranslation('catalogue')
  const access = accessOf(plugin)
  if (access.kind === 'none') return <span className="quiet">{t('list.noNeeds')}</span>
  if (access.kind === 'any') return <span className="cat-mark num">{t('list.grantedSome', { n: access.granted })}</span>
  const missing = access.granted < access.asked
  return (
    <span className="cat-mark num" data-s={missing ? 'waiting' : undefined}>
      {missing && <IconAlertTriangle size={13} aria-hidden />}
      {t('list.granted', { n: access.granted, all: access.asked })}
    </span>
  )
}

/** The last day in one line. */
export function HealthMark({ health }: { health: HealthSummary | undefined }) {
  const { t } = useTranslation('catalogue')
  const format = useFormat()
  if (!health || health.calls === 0) return <span className="quiet">{t('list.noCalls')}</span>
  return (
    <span className="cat-health num">
      <span>{t('list.calls', { n: health.calls })}</span>
      {health.failures > 0 && (
        <span className="cat-mark" data-s="failed">
          <IconAlertTriangle size={13} aria-hidden />
          {t('list.failed', { rate: percent(health.failures, health.calls) })}
        </span>
      )}
      {health.limits_hit > 0 && (
        <span className="cat-mark" data-s="waiting">
          {t('list.limits', { n: health.limits_hit })}
        </span>
      )}
      <span className="quiet cat-p99">
        <IconClock size={12} aria-hidden /> p99 {format.duration(health.p99_ms)}
      </span>
    </span>
  )
}
