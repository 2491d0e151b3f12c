import type { Flow, Plugin, Schema, Text } from '~/api/types'

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
export function scopeOf(doc: Flow, plugins: readonly Plugin[], at?: string): ScopeName[] {
  const variables = (doc.variables ?? []).map((v) => ({ name: v.name, type: typeName(v.schema), title: v.title }))
  const before = at === undefined ? null : ancestors(doc, at)
  const outputs: ScopeName[] = []
  for (const node of doc.nodes) {
    if (node.type !== 'task' || (before && !before.has(node.id))) continue
    const action = findAction(plugins, node.plugin, node.action)
    for (const [name, schema] of Object.entries((action?.outputs.properties ?? {}) as Record<string, Schema>)) {
      outputs.push({ name: `nodes.${node.id}.outputs.${name}`, type: typeName(schema), title: node.name })
    }
  }
  return [...variables, ...outputs, ...runNames]
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
