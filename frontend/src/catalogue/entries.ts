import type { HealthSummary, InstalledPlugin, PluginVersion } from '~/api/installed'
import type { Grant, Plugin } from '~/api/types'

/** A row of the catalogue: what is installed, and how the project sees it. */
export interface Entry {
  installed: InstalledPlugin
  /** How the project sees the version in use; nothing when no version can be used. */
  own: Plugin | undefined
  current: PluginVersion | undefined
  pending: PluginVersion[]
  health: HealthSummary | undefined
}

export function entriesOf(
  installed: readonly InstalledPlugin[],
  plugins: readonly Plugin[],
  health: readonly HealthSummary[],
): Entry[] {
  return installed.map((i) => ({
    installed: i,
    own: plugins.find((p) => p.id === i.id),
    current: i.versions.find((v) => v.latest),
    pending: i.versions.filter((v) => v.state === 'pending'),
    health: health.find((h) => h.plugin === i.id),
  }))
}

/** From how many calls on a share of failures means something. */
const meaningful = 10

/** Whether somebody should look: a review, a missing grant, no usable version, or many failures. */
export function needsAttention(e: Entry): boolean {
  if (e.pending.length > 0 || !e.own) return true
  if (!e.own.enabled) return false
  const access = accessOf(e.own)
  const failing = e.health && e.health.calls >= meaningful && e.health.failures * 2 > e.health.calls
  return access.kind === 'some' && access.granted < access.asked ? true : Boolean(failing || e.health?.limits_hit)
}

export type Access =
  | { kind: 'none' }
  /** Every operation is asked for by name. */
  | { kind: 'some'; granted: number; asked: number }
  /** Some are asked for by a wildcard: how many there are is the administrator's choice. */
  | { kind: 'any'; granted: number }

/** How much of what a plugin asks for it was granted. */
export function accessOf(p: Plugin): Access {
  const needs = p.manifest.needs ?? []
  const grants = p.grants ?? []
  if (needs.length === 0) return { kind: 'none' }
  if (needs.some((n) => n.system === '*' || n.operation === '*')) return { kind: 'any', granted: grants.length }
  const asked = needs.length
  return { kind: 'some', asked, granted: needs.filter((n) => grants.some((g) => same(n, g))).length }
}

export function same(a: Grant, b: Grant): boolean {
  return a.system === b.system && a.operation === b.operation
}

/** Whether something that is asked for stands for an operation. */
export function covers(need: Grant, g: Grant): boolean {
  return (need.system === '*' || need.system === g.system) && (need.operation === '*' || need.operation === g.operation)
}

/** Whether a plugin has a text in its names, descriptions or ids, without case. */
export function matches(e: Entry, q: string): boolean {
  const wanted = q.trim().toLowerCase()
  if (!wanted) return true
  const { id, title, doc } = e.installed
  const actions = e.own?.manifest.actions ?? []
  const all = [id, title, doc, ...actions.flatMap((a) => [a.id, a.title, a.doc])]
  return all.some((t) =>
    (typeof t === 'object' ? [t.en, t.zh] : [t ?? '']).some((s) => s.toLowerCase().includes(wanted)),
  )
}

/** A share as people read it: "0.2 %", "12 %". */
export function percent(part: number, whole: number): string {
  if (whole === 0) return '0 %'
  const share = (100 * part) / whole
  if (share > 0 && share < 0.1) return '< 0.1 %'
  return `${share < 10 && share !== Math.round(share) ? share.toFixed(1) : Math.round(share)} %`
}

/** A size as people read it. */
export function bytesText(n: number): string {
  if (n < 1024) return `${n} B`
  if (n < 1024 * 1024) return `${(n / 1024).toFixed(n < 10 * 1024 ? 1 : 0)} KiB`
  return `${(n / 1024 / 1024).toFixed(n < 100 * 1024 * 1024 ? 1 : 0)} MiB`
}

/** The part of a digest that tells modules apart for people. */
export function short(digest: string): string {
  return digest.replace('sha256:', '').slice(0, 12)
}
