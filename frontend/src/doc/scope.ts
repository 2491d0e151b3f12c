import type { Flow, FlowNode, Plugin, Schema, Text } from '~/api/types'
import { referenceOf } from './paths'

/** A name that an expression may use, with what it stands for. */
export interface ScopeName {
  name: string
  type: string
  title?: Text
}

const runNames: ScopeName[] = [
  { name: 'run.id', type: 'string' },
  { name: 'run.name', type: 'string' },
  { name: 'run.operator', type: 'string' },
  { name: 'run.started_at', type: 'timestamp' },
]

/** Lists what expressions at a node can see: variables, outputs of the nodes before it, and the run. */
export function scopeOf(
  doc: Flow,
  plugins: readonly Plugin[],
  at?: string,
  subflows: Subflows = noSubflows,
): ScopeName[] {
  const variables = (doc.variables ?? []).map((v) => ({ name: v.name, type: typeName(v.schema), title: v.title }))
  const before = at === undefined ? null : ancestors(doc, at)
  const outputs: ScopeName[] = []
  for (const node of doc.nodes) {
    if (before && !before.has(node.id)) continue
    for (const [name, schema] of Object.entries(outputsOf(node, plugins, subflows))) {
      outputs.push({ name: `nodes.${node.id}.outputs.${name}`, type: typeName(schema), title: node.name })
    }
  }
  return [...variables, ...outputs, ...runNames]
}

/** The flows that subflow nodes name, by reference. */
export type Subflows = ReadonlyMap<string, Flow>

const noSubflows: Subflows = new Map()

/** What a node gives to those behind it: the outputs of its action, or of its flow. */
export function outputsOf(node: FlowNode, plugins: readonly Plugin[], subflows: Subflows): Record<string, Schema> {
  if (node.type === 'subflow') {
    const variables = subflows.get(referenceOf(node))?.variables ?? []
    return Object.fromEntries(variables.filter((v) => v.output).map((v) => [v.name, v.schema ?? { type: 'string' }]))
  }
  if (node.type !== 'task') return {}
  return (findAction(plugins, node.plugin, node.action)?.outputs.properties ?? {}) as Record<string, Schema>
}

/** Finds what a task node runs. */
export function findAction(plugins: readonly Plugin[], plugin?: string, action?: string) {
  return plugins.find((p) => p.id === plugin)?.manifest.actions.find((a) => a.id === action)
}

/** The nodes from which a node can be reached. */
function ancestors(doc: Flow, at: string): Set<string> {
  const into = new Map<string, string[]>()
  for (const edge of doc.edges) into.set(edge.to, [...(into.get(edge.to) ?? []), edge.from])
  const found = new Set<string>()
  const open = [at]
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    for (const from of into.get(id) ?? []) {
      if (found.has(from)) continue
      found.add(from)
      open.push(from)
    }
  }
  return found
}

/** The type of a schema as a person reads it. */
export function typeName(schema: Schema | undefined): string {
  if (!schema) return 'string'
  const type = schema.type
  if (Array.isArray(type)) return type.filter((t) => t !== 'null').join(' | ')
  if (type === 'array') {
    const items = schema.items
    return items && typeof items === 'object' && !Array.isArray(items) ? `${typeName(items as Schema)}[]` : 'array'
  }
  return typeof type === 'string' ? type : 'any'
}
