import type { Flow, FlowNode, Scheme, StickyNote } from '~/api/types'
import { type Items, itemsOf, keyOf, type ListName } from '~/doc/commands'
import { canonical } from '~/doc/same'

export type Kind = 'added' | 'removed' | 'changed' | 'moved'

/** One property that differs, by the way to it inside the item. */
export interface Field {
  path: string[]
  before: unknown
  after: unknown
}

/** One thing that differs between two documents. */
export interface Change {
  id: string
  list: ListName | 'flow'
  key: string
  kind: Kind
  /** What differs of a thing that both have; of one that only one has, everything it holds. */
  fields: Field[]
}

const lists = ['nodes', 'edges', 'variables', 'schemes', 'notes'] as const

/** The lists whose order a person sees: conditions are tried, and forms filled in, one after the other. */
const ordered: ReadonlySet<ListName> = new Set(['edges', 'variables', 'schemes'])

/** Everything that differs, nodes first, each list in the order of the newer document. */
export function compare(before: Flow, after: Flow): Change[] {
  const out: Change[] = []
  for (const list of lists) {
    const [b, a] = [byKey(list, before), byKey(list, after)]
    for (const key of new Set([...a.keys(), ...b.keys()])) {
      const change = changeOf(list, key, b.get(key), a.get(key))
      if (change) out.push(change)
    }
    if (ordered.has(list) && reordered(b, a))
      out.push({
        id: list,
        list,
        key: '',
        kind: 'moved',
        fields: [{ path: ['order'], before: [...b.keys()], after: [...a.keys()] }],
      })
  }
  const known = new Set<string>([...lists, 'id', 'format'])
  for (const key of new Set([...Object.keys(after), ...Object.keys(before)])) {
    if (known.has(key)) continue
    const [b, a] = [before[key as keyof Flow], after[key as keyof Flow]]
    if (!same(b, a))
      out.push({
        id: `flow/${key}`,
        list: 'flow',
        key,
        kind: 'changed',
        fields: [{ path: [key], before: b, after: a }],
      })
  }
  return out
}

/** How many things were changed in each way. */
export function counted(changes: readonly Change[]): Record<Kind, number> {
  const out = { added: 0, removed: 0, changed: 0, moved: 0 }
  for (const { kind } of changes) out[kind]++
  return out
}

type Item = Items[ListName]

function byKey(list: ListName, doc: Flow): Map<string, Item> {
  return new Map(itemsOf(doc, list).map((item) => [keyOf(list, item), item]))
}

function changeOf(list: ListName, key: string, before: Item | undefined, after: Item | undefined): Change | null {
  const fields = [...fieldsOf([], bare(list, before), bare(list, after)), ...leftOut(list, before, after)]
  const id = `${list}/${key}`
  if (!before || !after) return { id, list, key, kind: before ? 'removed' : 'added', fields }
  if (fields.length > 0) return { id, list, key, kind: 'changed', fields }
  const [from, to] = [placeOf(list, before), placeOf(list, after)]
  if (!from || !to || same(from, to)) return null
  return { id, list, key, kind: 'moved', fields: [{ path: ['position'], before: from, after: to }] }
}

/** Where a thing stands on the drawing. */
function placeOf(list: ListName, item: Item) {
  if (list === 'nodes') return (item as FlowNode).position
  if (list !== 'notes') return undefined
  const { x, y } = item as StickyNote
  return { x, y }
}

/** Where a thing stands and what it is called inside say nothing of what it does. */
function bare(list: ListName, item: Item | undefined): object {
  if (!item) return {}
  if (list === 'notes') {
    const { text, colour, w, h } = item as StickyNote
    return { text, colour, size: [w, h] }
  }
  const { position: _place, ...rest } = item as FlowNode
  if (list === 'variables') return rest
  const { id: _id, ...said } = rest
  if (list !== 'schemes') return said
  const { name } = item as Scheme
  return { name }
}

/** What a scheme does with each of the nodes that it leaves out, or left out before: a field each. */
function leftOut(list: ListName, before: Item | undefined, after: Item | undefined): Field[] {
  if (list !== 'schemes') return []
  const [b, a] = [before, after].map((item) => item && new Set((item as Scheme).without))
  const word = (out: Set<string> | undefined, node: string) => out && (out.has(node) ? 'skip' : 'run')
  return [...new Set([...(a ?? []), ...(b ?? [])])]
    .filter((node) => word(b, node) !== word(a, node))
    .map((node) => ({ path: ['without', node], before: word(b, node), after: word(a, node) }))
}

function fieldsOf(path: string[], before: unknown, after: unknown): Field[] {
  if (same(before, after)) return []
  if (isFields(before) && isFields(after)) {
    return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((key) =>
      fieldsOf([...path, key], before[key], after[key]),
    )
  }
  // Nothing is as good as something that holds nothing.
  if (isEmpty(before) && isEmpty(after)) return []
  if (isFields(before) && before !== undefined && after === undefined && path.length < 2)
    return fieldsOf(path, before, {})
  if (isFields(after) && before === undefined && path.length < 2) return fieldsOf(path, {}, after)
  return [{ path, before, after }]
}

function isFields(value: unknown): value is { [name: string]: unknown } {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

function isEmpty(value: unknown): boolean {
  return (
    value === undefined ||
    value === '' ||
    value === false ||
    (typeof value === 'object' && value !== null && Object.keys(value).length === 0)
  )
}

function same(a: unknown, b: unknown): boolean {
  return a === b || (a !== undefined && b !== undefined && canonical(a) === canonical(b))
}

function reordered(before: Map<string, Item>, after: Map<string, Item>): boolean {
  const common = (a: Map<string, Item>, b: Map<string, Item>) => [...a.keys()].filter((key) => b.has(key)).join('\n')
  return common(before, after) !== common(after, before)
}
