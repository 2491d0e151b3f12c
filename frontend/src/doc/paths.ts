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

/** The node of the outermost drawing that a path lies in. */
export function topOf(path: string): string {
  return path.split('.', 1)[0] ?? path
}

/** The path of the subflow node that a node is inside of; "" for a node of the run's own flow. */
export function parentOf(path: string): string {
  const at = path.lastIndexOf('.')
  return at < 0 ? '' : path.slice(0, at)
}

/** The path of the child of a scope that leads to a node, or undefined when the node is not inside the scope. */
export function childIn(scope: string, path: string): string | undefined {
  const prefix = scope === '' ? '' : `${scope}.`
  if (!path.startsWith(prefix) || path === scope) return undefined
  return prefix + topOf(path.slice(prefix.length))
}

/** What is drawn inside a subflow node of a run's document; undefined where nothing is. */
export function flowIn(doc: Flow, scope: string): Flow | undefined {
  let flow: Flow | undefined = doc
  for (const id of scope === '' ? [] : scope.split('.')) {
    const node: FlowNode | undefined = flow?.nodes.find((n) => n.id === id)
    flow = node?.type === 'subflow' && !node.mode ? doc.subflows?.[referenceOf(node)] : undefined
  }
  return flow
}
