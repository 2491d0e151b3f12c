import type { Flow, FlowEdge, FlowNode, Scheme, StickyNote, Variable } from '~/api/types'

/**
 * The commands that change a flow document. A command is plain data, and
 * applying one gives the command that takes it back: undo and redo are nothing
 * but commands. All lists keep their order, because the order of edges is the
 * order in which their conditions are tried.
 */
export type Command =
  | ListCommand<'nodes'>
  | ListCommand<'edges'>
  | ListCommand<'variables'>
  | ListCommand<'schemes'>
  | ListCommand<'notes'>
  | MetaCommand
  | BatchCommand
  | ReplaceCommand

export type ListName = 'nodes' | 'edges' | 'variables' | 'schemes' | 'notes'

export interface Items {
  nodes: FlowNode
  edges: FlowEdge
  variables: Variable
  schemes: Scheme
  notes: StickyNote
}

type ListCommand<L extends ListName> =
  | { op: 'insert'; list: L; items: { index: number; item: Items[L] }[] }
  | { op: 'remove'; list: L; keys: string[] }
  | { op: 'set'; list: L; key: string; patch: Patch<Items[L]> }
  | { op: 'reorder'; list: L; key: string; to: number }

interface MetaCommand {
  op: 'meta'
  patch: Patch<Pick<Flow, 'name' | 'doc' | 'on_failure' | 'timeout_ms'>>
}

interface BatchCommand {
  op: 'batch'
  commands: Command[]
}

interface ReplaceCommand {
  op: 'replace'
  document: Flow
}

/** New values by property; undefined removes the property. */
export type Patch<T> = { [K in keyof T]?: T[K] | undefined }

export interface Applied {
  doc: Flow
  inverse: Command
}

/** A command that does nothing, the inverse of one that changed nothing. */
const nothing: Command = { op: 'batch', commands: [] }

/** Applies a command to a document, which stays as it was. */
export function apply(doc: Flow, command: Command): Applied {
  switch (command.op) {
    case 'batch':
      return applyBatch(doc, command.commands)
    case 'replace':
      return { doc: command.document, inverse: { op: 'replace', document: doc } }
    case 'meta': {
      const [next, inverse] = patched<Flow>(doc, command.patch)
      return { doc: next, inverse: { op: 'meta', patch: inverse } }
    }
    case 'insert':
      return applyInsert(doc, command)
    case 'remove':
      return applyRemove(doc, command.list, command.keys)
    case 'set':
      return applySet(doc, command)
    case 'reorder':
      return applyReorder(doc, command.list, command.key, command.to)
  }
}

/** The key of an item: what identifies it inside its list. */
export function keyOf(list: ListName, item: Items[ListName]): string {
  return list === 'variables' ? (item as Variable).name : (item as FlowNode).id
}

/** The lists that a document has only when they hold something. */
export const optionalLists: ReadonlySet<ListName> = new Set(['variables', 'schemes', 'notes'])

/** The items of a list; a document that has none of them has an empty list. */
export function itemsOf<L extends ListName>(doc: Flow, list: L): Items[L][] {
  return (doc[list] ?? []) as Items[L][]
}

/** Puts two commands that belong to one gesture together. */
export function join(first: Command, second: Command): Command {
  if (
    first.op === 'set' &&
    second.op === 'set' &&
    first.list === second.list &&
    first.key === second.key &&
    !renames(first)
  ) {
    return { ...first, patch: { ...first.patch, ...second.patch } } as Command
  }
  return { op: 'batch', commands: [...flat(first), ...flat(second)] }
}

/** Joins the inverses of two commands that were applied in the order first, second. */
export function joinInverse(first: Command, second: Command): Command {
  return join(second, first)
}

function renames(command: Extract<Command, { op: 'set' }>): boolean {
  return 'name' in command.patch && command.list === 'variables'
}

function flat(command: Command): Command[] {
  return command.op === 'batch' ? command.commands : [command]
}

function applyBatch(doc: Flow, commands: Command[]): Applied {
  const inverses: Command[] = []
  let current = doc
  for (const command of commands) {
    const applied = apply(current, command)
    current = applied.doc
    inverses.unshift(applied.inverse)
  }
  return {
    doc: current,
    inverse: inverses.length === 1 && inverses[0] ? inverses[0] : { op: 'batch', commands: inverses },
  }
}

function withList(doc: Flow, list: ListName, items: Items[ListName][]): Flow {
  if (items.length === 0 && optionalLists.has(list)) {
    const { [list]: _gone, ...rest } = doc
    return rest as Flow
  }
  return { ...doc, [list]: items }
}

function applyInsert(doc: Flow, command: Extract<Command, { op: 'insert' }>): Applied {
  const items: Items[ListName][] = [...itemsOf(doc, command.list)]
  for (const { index, item } of command.items) items.splice(Math.min(index, items.length), 0, item)
  const keys = command.items.map(({ item }) => keyOf(command.list, item))
  return { doc: withList(doc, command.list, items), inverse: { op: 'remove', list: command.list, keys } as Command }
}

function applyRemove(doc: Flow, list: ListName, keys: string[]): Applied {
  const gone = new Set(keys)
  const removed: { index: number; item: Items[ListName] }[] = []
  const kept: Items[ListName][] = []
  itemsOf(doc, list).forEach((item, index) => {
    if (gone.has(keyOf(list, item))) removed.push({ index, item })
    else kept.push(item)
  })
  if (removed.length === 0) return { doc, inverse: nothing }
  return { doc: withList(doc, list, kept), inverse: { op: 'insert', list, items: removed } as Command }
}

function applySet(doc: Flow, command: Extract<Command, { op: 'set' }>): Applied {
  const items = itemsOf(doc, command.list) as Items[ListName][]
  const at = items.findIndex((item) => keyOf(command.list, item) === command.key)
  const item = items[at]
  if (!item) return { doc, inverse: nothing }
  const [next, patch] = patched(item, command.patch as Patch<Items[ListName]>)
  const changed = [...items]
  changed[at] = next
  const inverse = { op: 'set', list: command.list, key: keyOf(command.list, next), patch } as Command
  return { doc: withList(doc, command.list, changed), inverse }
}

function applyReorder(doc: Flow, list: ListName, key: string, to: number): Applied {
  const items: Items[ListName][] = [...itemsOf(doc, list)]
  const from = items.findIndex((item) => keyOf(list, item) === key)
  const item = items[from]
  if (!item) return { doc, inverse: nothing }
  items.splice(from, 1)
  items.splice(to, 0, item)
  return { doc: withList(doc, list, items), inverse: { op: 'reorder', list, key, to: from } as Command }
}

/** Applies a patch; answers the new object and the patch that takes it back. */
function patched<T extends object>(object: T, patch: Patch<T>): [T, Patch<T>] {
  const next = { ...object }
  const inverse: Patch<T> = {}
  for (const key of Object.keys(patch) as (keyof T)[]) {
    inverse[key] = object[key]
    const value = patch[key]
    if (value === undefined) delete next[key]
    else next[key] = value
  }
  return [next, inverse]
}
