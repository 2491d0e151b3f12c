import type { Flow, FlowNode } from '~/api/types'

/** A node of a run: one of the flow itself, or of an inline subflow at any depth. */
export interface PathNode {
  /** Its path: "deploy.check" is the node check inside the subflow node deploy. */
  path: string
  node: FlowNode
  /** The flow that it is drawn in. */
  flow: Flow
  depth: number
}

/** The key under which a document holds what a subflow node runs. */
export function referenceOf(node: Pick<FlowNode, 'flow' | 'version'>): string {
  return node.version ? `${node.flow}@${node.version}` : (node.flow ?? '')
}

/** A document never nests deeper than this; what does is not shown further. */
const depthMax = 10

/** Every node of a run's document, those of inline subflows behind the node that runs them. */
export function pathNodes(doc: Flow): PathNode[] {
  const out: PathNode[] = []
  const walk = (flow: Flow, prefix: string, depth: number) => {
    for (const node of flow.nodes) {
      const path = prefix + node.id
      out.push({ path, node, flow, depth })
      const inside = node.type === 'subflow' && !node.mode ? doc.subflows?.[referenceOf(node)] : undefined
      if (inside && depth < depthMax) walk(inside, `${path}.`, depth + 1)
    }
  }
  walk(doc, '', 0)
  return out
}

/** The edges that leave each node of a run, by the paths of both. */
export function outEdges(nodes: readonly PathNode[]): Map<string, string[]> {
  const byFlow = new Map<Flow, Map<string, string[]>>()
  const leaving = (flow: Flow) => {
    const known = byFlow.get(flow)
    if (known) return known
    const map = new Map<string, string[]>()
    for (const e of flow.edges) map.set(e.from, [...(map.get(e.from) ?? []), e.id])
    byFlow.set(flow, map)
    return map
  }
  return new Map(
    nodes.map(({ path, node, flow }) => {
      const prefix = path.slice(0, path.length - node.id.length)
      return [path, (leaving(flow).get(node.id) ?? []).map((id) => prefix + id)]
    }),
  )
}

/** The node of the outermost drawing that a path lies in. */
export function topOf(path: string): string {
  return path.split('.', 1)[0] ?? path
}
