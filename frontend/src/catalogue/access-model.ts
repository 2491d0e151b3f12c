import type { Grant, Manifest, Plugin, SystemOperation, SystemView } from '~/api/types'
import { covers, same } from './entries'

/** One operation that can be approved. */
export interface Row extends Grant {
  granted: boolean
  /** What is registered under that name; nothing when nothing is. */
  known: SystemOperation | undefined
  /** Granted, but the version in use does not ask for it. */
  stale: boolean
}

/** What a plugin asks of one system. */
export interface Group {
  system: string
  view: SystemView | undefined
  /** The operation or the system is a wildcard: the rows are all that there are. */
  any: boolean
  rows: Row[]
}

/** What a manifest asks for, operation by operation, with what was granted. */
export function groupsOf(manifest: Manifest, own: Plugin | undefined, systems: readonly SystemView[]): Group[] {
  const needs = manifest.needs ?? []
  const grants = own?.grants ?? []
  const groups = new Map<string, Group>()
  const group = (system: string): Group => {
    const known = groups.get(system)
    if (known) return known
    const made: Group = { system, view: systems.find((s) => s.id === system), any: false, rows: [] }
    groups.set(system, made)
    return made
  }
  const add = (g: Grant, stale: boolean) => {
    const into = group(g.system)
    if (into.rows.some((r) => same(r, g))) return
    const known = into.view?.operations?.find((o) => o.id === g.operation)
    into.rows.push({ system: g.system, operation: g.operation, granted: grants.some((x) => same(x, g)), known, stale })
  }
  for (const need of needs) {
    const named = need.system === '*' ? systems.map((s) => s.id) : [need.system]
    for (const system of named) {
      if (need.operation !== '*') {
        add({ system, operation: need.operation }, false)
        continue
      }
      const into = group(system)
      into.any = true
      for (const o of into.view?.operations ?? []) add({ system, operation: o.id }, false)
    }
  }
  for (const g of grants) add(g, !needs.some((n) => covers(n, g)))
  // Where everything may be asked for, what was granted comes first.
  const granted = (g: Group) => Number(g.any && g.rows.some((r) => r.granted))
  return [...groups.values()].toSorted((a, b) => granted(b) - granted(a))
}

/** The grants that a plugin has after some operations were approved or withdrawn. */
export function grantsAfter(own: Plugin, rows: readonly Grant[], approve: boolean): Grant[] {
  const kept = (own.grants ?? []).filter((g) => !rows.some((r) => same(r, g)))
  // A grant that is not asked for any more is refused: it goes with the next change.
  const asked = kept.filter((g) => (own.manifest.needs ?? []).some((n) => covers(n, g)))
  const added = approve ? rows.map(({ system, operation }) => ({ system, operation })) : []
  return [...asked, ...added]
}
