import type { Flow } from '~/api/types'
import { type Items, itemsOf, keyOf, type ListName } from './commands'
import { boundsOf } from './graph'
import { canonical } from './store'

/** One thing that both sides changed, each in its own way. */
export interface Clash {
  list: ListName | 'flow'
  key: string
  mine: unknown
  theirs: unknown
}

export interface Merged {
  document: Flow
  clashes: Clash[]
  /** How many things came from the other side. */
  taken: number
}

/**
 * Merges two documents that grew from one base, item by item: what only one side
 * changed is taken from that side. Where both changed the same thing the choice
 * is `prefer`, and the clash is listed so that a person sees it.
 */
export function merge(base: Flow, mine: Flow, saved: Flow, prefer: 'mine' | 'theirs'): Merged {
  const theirs = withPlaces(saved, base, mine)
  const clashes: Clash[] = []
  let taken = 0
  const pick = (list: Clash['list'], key: string, b: unknown, m: unknown, t: unknown): unknown => {
    if (same(m, t)) return m
    if (same(b, m)) {
      taken++
      return t
    }
    if (same(b, t)) return m
    clashes.push({ list, key, mine: m, theirs: t })
    return prefer === 'mine' ? m : t
  }
  const document: Flow = { ...mine }
  // Every other field, also one that this version does not know.
  const fields = new Set([...Object.keys(base), ...Object.keys(mine), ...Object.keys(theirs)]) as Set<keyof Flow>
  for (const key of fields) {
    if (key === 'variables' || key === 'nodes' || key === 'edges') continue
    const value = pick('flow', key, base[key], mine[key], theirs[key])
    if (value === undefined) delete document[key]
    else Object.assign(document, { [key]: value })
  }
  for (const list of ['variables', 'nodes', 'edges'] as const) {
    const merged = mergeList(list, base, mine, theirs, pick)
    if (merged.length > 0 || list !== 'variables') Object.assign(document, { [list]: merged })
    else delete document.variables
  }
  return { document: withoutDangling(document), clashes, taken }
}

type Pick = (list: ListName, key: string, b: unknown, m: unknown, t: unknown) => unknown

function mergeList(list: ListName, base: Flow, mine: Flow, theirs: Flow, pick: Pick): Items[ListName][] {
  const [b, m, t] = [base, mine, theirs].map((doc) => byKey(list, doc)) as [ItemMap, ItemMap, ItemMap]
  const order = [...m.keys(), ...[...t.keys()].filter((key) => !m.has(key))]
  const out: Items[ListName][] = []
  for (const key of order) {
    const item = pick(list, key, b.get(key), m.get(key), t.get(key))
    if (item !== undefined) out.push(item as Items[ListName])
  }
  return out
}

type ItemMap = Map<string, Items[ListName]>

function byKey(list: ListName, doc: Flow): ItemMap {
  return new Map(itemsOf(doc, list).map((item) => [keyOf(list, item), item]))
}

/** A stored document may leave the places to the canvas; a missing one is no change. */
function withPlaces(theirs: Flow, base: Flow, mine: Flow): Flow {
  const known = new Map([...mine.nodes, ...base.nodes].map((n) => [n.id, n.position]))
  const bottom = boundsOf(mine.nodes)
  let fresh = 0
  const nodes = theirs.nodes.map((n) => {
    if (n.position) return n
    const position = known.get(n.id) ?? { x: bottom.x + 248 * fresh++, y: bottom.y + bottom.height + 64 }
    return { ...n, position }
  })
  return { ...theirs, nodes }
}

/** One side may have removed a node that the other connected: such edges go. */
function withoutDangling(doc: Flow): Flow {
  const ids = new Set(doc.nodes.map((n) => n.id))
  return { ...doc, edges: doc.edges.filter((e) => ids.has(e.from) && ids.has(e.to)) }
}

function same(a: unknown, b: unknown): boolean {
  return a === b || (a !== undefined && b !== undefined && canonical(a) === canonical(b))
}
