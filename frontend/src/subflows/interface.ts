import type { Flow, FlowNode, Json, Variable } from '~/api/types'
import type { Command, Patch } from '~/doc/commands'
import { canonical } from '~/doc/same'
import { typeName } from '~/doc/scope'

/** What two versions of a flow say differently about one of its inputs or outputs. */
export interface Difference {
  side: 'inputs' | 'outputs'
  name: string
  variable: Variable
  kind: 'added' | 'removed' | 'changed'
  facts: Fact[]
}

export type Fact =
  | { what: 'required' | 'nowRequired' | 'nowOptional' | 'choices' }
  | { what: 'type'; from: string; to: string }
  | { what: 'default'; from: Json | undefined; to: Json | undefined }

/** What a flow shows of itself: what it asks for, and what it gives back. */
function shown(flow: Flow, side: Difference['side']): Map<string, Variable> {
  const own = (flow.variables ?? []).filter((v) => (side === 'inputs' ? v.source === 'input' : v.output === true))
  return new Map(own.map((v) => [v.name, v]))
}

/** Whether who starts the flow has to give the input. */
function needed(v: Variable): boolean {
  return v.required === true && v.value === undefined
}

/** How the inputs and outputs of a flow differ between two of its versions. */
export function differences(before: Flow, after: Flow): Difference[] {
  return (['inputs', 'outputs'] as const).flatMap((side) => {
    const [b, a] = [shown(before, side), shown(after, side)]
    return [...new Set([...a.keys(), ...b.keys()])].flatMap((name): Difference[] => {
      const [old, now] = [b.get(name), a.get(name)]
      if (old && now) {
        const facts = factsOf(side, old, now)
        return facts.length > 0 ? [{ side, name, variable: now, kind: 'changed', facts }] : []
      }
      if (now) {
        const facts: Fact[] = side === 'inputs' && needed(now) ? [{ what: 'required' }] : []
        return [{ side, name, variable: now, kind: 'added', facts }]
      }
      return old ? [{ side, name, variable: old, kind: 'removed', facts: [] }] : []
    })
  })
}

function factsOf(side: Difference['side'], old: Variable, now: Variable): Fact[] {
  const facts: Fact[] = []
  const [from, to] = [typeName(old.schema), typeName(now.schema)]
  if (from !== to) facts.push({ what: 'type', from, to })
  else if (canonical(old.schema ?? {}) !== canonical(now.schema ?? {})) facts.push({ what: 'choices' })
  if (side === 'outputs') return facts
  if (needed(old) !== needed(now)) facts.push({ what: needed(now) ? 'nowRequired' : 'nowOptional' })
  if (canonical(old.value ?? null) !== canonical(now.value ?? null))
    facts.push({ what: 'default', from: old.value, to: now.value })
  return facts
}

/** What an update takes away at a node, because the new version has no place for it. */
export interface Dropped {
  inputs: { name: string; value: Json }[]
  /** Variables that no output is written to any more. */
  variables: string[]
  schemes: string[]
}

/** What the new version has no place for at a node. */
export function droppedBy(node: FlowNode, after: Flow): Dropped {
  const [inputs, outputs] = [shown(after, 'inputs'), shown(after, 'outputs')]
  const schemes = new Set((after.schemes ?? []).map((s) => s.id))
  return {
    inputs: Object.entries(node.inputs ?? {})
      .filter(([name]) => !inputs.has(name))
      .map(([name, value]) => ({ name, value })),
    variables: Object.entries(node.outputs ?? {})
      .filter(([, output]) => !outputs.has(output))
      .map(([variable]) => variable),
    schemes: (node.schemes ?? []).filter((id) => !schemes.has(id)),
  }
}

/** The command that puts a node at a version, without what that has no place for. */
export function updateTo(node: FlowNode, version: number, after: Flow): Command {
  const dropped = droppedBy(node, after)
  const patch: Patch<FlowNode> = { version }
  if (dropped.inputs.length > 0) {
    const gone = new Set(dropped.inputs.map((i) => i.name))
    patch.inputs = without(node.inputs, gone)
    const literal = node.literal?.filter((name) => !gone.has(name))
    if (node.literal) patch.literal = literal && literal.length > 0 ? literal : undefined
  }
  if (dropped.variables.length > 0) patch.outputs = without(node.outputs, new Set(dropped.variables))
  if (dropped.schemes.length > 0) {
    const kept = (node.schemes ?? []).filter((id) => !dropped.schemes.includes(id))
    patch.schemes = kept.length > 0 ? kept : undefined
  }
  return { op: 'set', list: 'nodes', key: node.id, patch }
}

function without<T>(
  of: { [name: string]: T } | undefined,
  gone: ReadonlySet<string>,
): { [name: string]: T } | undefined {
  const kept = Object.entries(of ?? {}).filter(([name]) => !gone.has(name))
  return kept.length > 0 ? Object.fromEntries(kept) : undefined
}

/** Nodes that stay at one version of a flow, and the newer one there is. */
export interface Update {
  flow: string
  from: number
  to: number
  nodes: FlowNode[]
}

/** Which nodes stay behind: those that name a version, where the flow has a later one. */
export function updatesOf(doc: Flow, latest: ReadonlyMap<string, number>): Update[] {
  const own = new Set(Object.keys(doc.subflows ?? {}).map((key) => key.split('@', 1)[0]))
  const found = new Map<string, Update>()
  for (const node of doc.nodes) {
    if (node.type !== 'subflow' || !node.flow || !node.version || own.has(node.flow)) continue
    const to = latest.get(node.flow) ?? 0
    if (to <= node.version) continue
    const key = `${node.flow}@${node.version}`
    const update = found.get(key) ?? { flow: node.flow, from: node.version, to, nodes: [] }
    update.nodes.push(node)
    found.set(key, update)
  }
  return [...found.values()]
}
