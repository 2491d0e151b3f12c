import type { Flow, FlowNode, StickyNote } from '~/api/types'
import { type Items, itemsOf, keyOf, type ListName, optionalLists } from './commands'
import { boundsOf, freshId } from './graph'
import { leavingOut } from './leaving'
import { canonical } from './same'

export type Side = 'mine' | 'theirs'

/** One thing that both sides changed, each in its own way. */
export interface Clash {
  /** Names the clash as long as both sides stay as they are. */
  id: string
  list: ListName | 'flow'
  key: string
  /** The way to the property inside the item; empty for the item itself. */
  path: string[]
  base: unknown
  mine: unknown
  theirs: unknown
}

export interface Merged {
  document: Flow
  clashes: Clash[]
  /** How many things came from the other side. */
  taken: number
  /** Ids of mine that the other side had given to something else, with the new ones. */
  renamed: ReadonlyMap<string, string>
}

/** What a person decided, by the id of the clash. */
export type Choices = ReadonlyMap<string, Side>

/**
 * Merges two documents that grew from one base, property by property: what only one
 * side changed is taken from that side. Where both changed the same thing the choice
 * decides, else `prefer`, and the clash is listed so that a person sees it.
 */
export function merge(base: Flow, mine: Flow, saved: Flow, prefer: Side, choices: Choices = new Map()): Merged {
  const theirs = withPlaces(saved, base, mine)
  const { document: own, renamed } = withOwnIds(base, mine, theirs)
  const run = new Run(prefer, choices)
  const document: Flow = { ...own }
  // Every other field, also one that this version does not know.
  const fields = new Set([...Object.keys(base), ...Object.keys(own), ...Object.keys(theirs)]) as Set<keyof Flow>
  for (const key of fields) {
    if (lists.includes(key as ListName)) continue
    const value = run.item('flow', key, base[key], own[key], theirs[key])
    if (value === undefined) delete document[key]
    else Object.assign(document, { [key]: value })
  }
  const needed = { mine: endsAddedBy(base, own), theirs: endsAddedBy(base, theirs) }
  for (const list of lists) {
    const merged = mergeList(list, [base, own, theirs], run, needed)
    if (merged.length > 0 || !optionalLists.has(list)) Object.assign(document, { [list]: merged })
    else delete document[list as 'variables']
  }
  return { document: withoutDangling(document), clashes: run.clashes, taken: run.taken, renamed }
}

const lists: readonly ListName[] = ['variables', 'nodes', 'edges', 'schemes', 'notes']

/** One merge under way: what clashed, and what was taken from the other side. */
class Run {
  readonly clashes: Clash[] = []
  taken = 0

  constructor(
    private readonly prefer: Side,
    private readonly choices: Choices,
  ) {}

  /** Merges one item of a list, or one field of the document. */
  item(list: Clash['list'], key: string, b: unknown, m: unknown, t: unknown): unknown {
    let took = false
    const pick = (path: string[], bv: unknown, mv: unknown, tv: unknown): unknown => {
      if (same(mv, tv)) return mv
      if (same(bv, mv)) {
        took = true
        return tv
      }
      if (same(bv, tv)) return mv
      if (isPlace(list, path)) return mv
      // Which nodes a scheme leaves out is one decision a node.
      if (list === 'schemes' && path[0] === 'without') return mergedNames(bv, mv, tv)
      if (canJoin(list, path, bv, mv, tv)) {
        const [bo, mo, to] = [bv, mv, tv] as [Fields, Fields, Fields]
        const out: Fields = {}
        for (const name of new Set([...Object.keys(mo), ...Object.keys(to)])) {
          const value = pick([...path, name], bo[name], mo[name], to[name])
          if (value !== undefined) out[name] = value
        }
        return out
      }
      return this.clash(list, key, path, bv, mv, tv)
    }
    const merged = pick([], b, m, t)
    if (took) this.taken++
    return merged
  }

  clash(list: Clash['list'], key: string, path: string[], base: unknown, mine: unknown, theirs: unknown): unknown {
    const id = [list, key, ...path].join('/')
    this.clashes.push({ id, list, key, path, base, mine, theirs })
    return (this.choices.get(id) ?? this.prefer) === 'mine' ? mine : theirs
  }
}

type Fields = { [name: string]: unknown }

function isFields(value: unknown): value is Fields {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

/** Where a node stands, where a note lies and how large it is, is nobody's work: no person is asked about it. */
function isPlace(list: Clash['list'], path: readonly string[]): boolean {
  const name = path[0] ?? ''
  return (list === 'nodes' && name === 'position') || (list === 'notes' && ['x', 'y', 'w', 'h'].includes(name))
}

/** Names that one side put into a list are in, and those that one side took out are not. */
function mergedNames(b: unknown, m: unknown, t: unknown): unknown {
  const [base, mine, theirs] = [b, m, t].map((names) => new Set((names ?? []) as string[])) as [
    Set<string>,
    Set<string>,
    Set<string>,
  ]
  const names = [...new Set([...mine, ...theirs])].filter((n) => (base.has(n) ? mine.has(n) && theirs.has(n) : true))
  return names.length > 0 ? names : undefined
}

/** A node that does something else than before is one thing: its inputs belong to what it does. */
function canJoin(list: Clash['list'], path: string[], b: unknown, m: unknown, t: unknown): boolean {
  if (!isFields(b) || !isFields(m) || !isFields(t)) return false
  if (list === 'flow') return false
  if (path.length > 0) return true
  return (['type', 'plugin', 'action', 'flow', 'source'] as const).every(
    (name) => same(b[name], m[name]) && same(b[name], t[name]),
  )
}

type Three = [base: Flow, mine: Flow, theirs: Flow]

function mergeList(
  list: ListName,
  docs: Three,
  run: Run,
  needed: Record<Side, ReadonlySet<string>>,
): Items[ListName][] {
  const [b, m, t] = docs.map((doc) => byKey(list, doc)) as [ItemMap, ItemMap, ItemMap]
  const out: Items[ListName][] = []
  for (const key of orderOf(b, m, t)) {
    const [bi, mi, ti] = [b.get(key), m.get(key), t.get(key)]
    // One side removed a node that the other drew a line to: both cannot be had.
    const torn =
      list === 'nodes' &&
      bi !== undefined &&
      ((mi === undefined && same(bi, ti) && needed.theirs.has(key)) ||
        (ti === undefined && same(bi, mi) && needed.mine.has(key)))
    const item = torn ? run.clash(list, key, [], bi, mi, ti) : run.item(list, key, bi, mi, ti)
    if (item !== undefined) out.push(item as Items[ListName])
  }
  return out
}

/** The order of the side that changed it; what only one side has keeps its place behind its neighbour. */
function orderOf(b: ItemMap, m: ItemMap, t: ItemMap): string[] {
  const common = (items: ItemMap) => [...items.keys()].filter((key) => b.has(key) && m.has(key) && t.has(key))
  const moved = canonical(common(b)) !== canonical(common(m))
  const [first, second] = moved ? [m, t] : [t, m]
  const order = [...first.keys()]
  let before: string | undefined
  for (const key of second.keys()) {
    if (!first.has(key)) order.splice(before === undefined ? 0 : order.indexOf(before) + 1, 0, key)
    before = key
  }
  return order
}

type ItemMap = Map<string, Items[ListName]>

function byKey(list: ListName, doc: Flow): ItemMap {
  return new Map(itemsOf(doc, list).map((item) => [keyOf(list, item), item]))
}

/** The nodes that the edges a side drew or changed are at. */
function endsAddedBy(base: Flow, doc: Flow): Set<string> {
  const before = new Map(base.edges.map((e) => [e.id, e]))
  return new Set(doc.edges.filter((e) => !same(e, before.get(e.id))).flatMap((e) => [e.from, e.to]))
}

/**
 * Both sides number what they add. Where they gave one id to two things, mine gets
 * another: nothing of either is lost, and nobody is asked.
 */
function withOwnIds(base: Flow, mine: Flow, theirs: Flow): { document: Flow; renamed: Map<string, string> } {
  const renamed = new Map<string, string>()
  const clashing = (list: Exclude<ListName, 'variables'>): ReadonlyMap<string, string> => {
    const own = new Map<string, string>()
    const before = new Set(itemsOf(base, list).map((item) => item.id))
    const other = new Map(itemsOf(theirs, list).map((item) => [item.id, item]))
    const taken = new Set([...before, ...other.keys(), ...itemsOf(mine, list).map((item) => item.id)])
    for (const item of itemsOf(mine, list)) {
      const their = other.get(item.id)
      if (before.has(item.id) || !their || same(withoutPlace(item), withoutPlace(their))) continue
      const id = freshId(taken, item.id.replace(/\d+$/, '') || item.id)
      taken.add(id)
      own.set(item.id, id)
    }
    for (const [old, id] of own) renamed.set(old, id)
    return own
  }
  const nodes = clashing('nodes')
  const edges = clashing('edges')
  const schemes = clashing('schemes')
  const notes = clashing('notes')
  if (renamed.size === 0) return { document: mine, renamed }
  const of = (id: string) => nodes.get(id) ?? id
  return {
    renamed,
    document: {
      ...mine,
      nodes: mine.nodes.map((n) => (nodes.has(n.id) ? { ...n, id: of(n.id) } : n)),
      edges: mine.edges.map((e) => {
        const id = edges.get(e.id) ?? e.id
        return id === e.id && of(e.from) === e.from && of(e.to) === e.to
          ? e
          : { ...e, id, from: of(e.from), to: of(e.to) }
      }),
      ...(mine.schemes && {
        schemes: mine.schemes.map((s) => {
          const named = withId(s, schemes)
          return s.without?.some((id) => nodes.has(id)) ? { ...named, without: s.without.map(of) } : named
        }),
      }),
      ...(mine.notes && { notes: mine.notes.map((n) => withId(n, notes)) }),
    },
  }
}

function withId<T extends { id: string }>(item: T, ids: ReadonlyMap<string, string>): T {
  const id = ids.get(item.id)
  return id === undefined ? item : { ...item, id }
}

function withoutPlace(item: Items[ListName]): unknown {
  const { position: _place, x: _x, y: _y, w: _w, h: _h, ...rest } = item as FlowNode & StickyNote
  return rest
}

/** A stored document may leave the places to the canvas; a missing one is no change. */
function withPlaces(theirs: Flow, base: Flow, mine: Flow): Flow {
  if (theirs.nodes.every((n) => n.position)) return theirs
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

/** One side may have removed a node that the other connected, or left out: edges and names of it go. */
function withoutDangling(doc: Flow): Flow {
  const ids = new Set(doc.nodes.map((n) => n.id))
  const next = { ...doc, edges: doc.edges.filter((e) => ids.has(e.from) && ids.has(e.to)) }
  return doc.schemes ? { ...next, schemes: doc.schemes.map((s) => leavingOut(s, (id) => ids.has(id))) } : next
}

function same(a: unknown, b: unknown): boolean {
  return a === b || (a !== undefined && b !== undefined && canonical(a) === canonical(b))
}
