import type { ComponentType } from 'react'
import type { FlowNode, NodeType, Plugin } from '~/api/types'
import {
  IconActivity,
  IconApi,
  IconArrowMerge,
  IconAsterisk,
  IconBell,
  IconBellOff,
  IconBolt,
  IconBraces,
  IconCheck,
  IconClock,
  IconDatabase,
  IconFileText,
  IconHeart,
  IconKey,
  IconMail,
  IconPlayerPlayFilled,
  IconPlug,
  IconPlus,
  IconRefresh,
  IconRocket,
  IconSearch,
  IconServer,
  IconServerOff,
  IconSitemap,
  IconSquare,
  IconTerminal2,
  IconTicket,
  IconUserCheck,
  IconVariable,
  IconWebhook,
  IconWorld,
  IconX,
} from '~/app/icons'

export type NodeIcon = ComponentType<{ size?: number; stroke?: number; 'aria-hidden'?: boolean }>

/** The icons that a manifest may name. */
const named: Record<string, NodeIcon> = {
  activity: IconActivity,
  alert: IconBell,
  api: IconApi,
  bell: IconBell,
  'bell-off': IconBellOff,
  bolt: IconBolt,
  braces: IconBraces,
  chart: IconActivity,
  check: IconCheck,
  clock: IconClock,
  confirm: IconUserCheck,
  database: IconDatabase,
  file: IconFileText,
  heart: IconHeart,
  http: IconWorld,
  key: IconKey,
  mail: IconMail,
  person: IconUserCheck,
  refresh: IconRefresh,
  rocket: IconRocket,
  search: IconSearch,
  server: IconServer,
  'server-off': IconServerOff,
  terminal: IconTerminal2,
  ticket: IconTicket,
  user: IconUserCheck,
  variable: IconVariable,
  webhook: IconWebhook,
  world: IconWorld,
}

const structural: Partial<Record<NodeType, NodeIcon>> = {
  start: IconPlayerPlayFilled,
  end: IconSquare,
  subflow: IconSitemap,
  exclusive: IconX,
  parallel: IconPlus,
  inclusive: IconAsterisk,
  join: IconArrowMerge,
}

/** The icon that a manifest names; an unknown name shows the generic one. */
export function namedIcon(name: string | undefined): NodeIcon {
  return (name && named[name]) || IconPlug
}

/** The icon of a node: that of its type, or of the action it runs. */
export function iconOf(node: Pick<FlowNode, 'type' | 'plugin' | 'action'>, plugins: readonly Plugin[]): NodeIcon {
  const own = structural[node.type]
  if (own) return own
  const plugin = plugins.find((p) => p.id === node.plugin)
  const action = plugin?.manifest.actions.find((a) => a.id === node.action)
  return namedIcon(action?.icon ?? plugin?.manifest.icon)
}
