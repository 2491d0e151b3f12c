import type { Flow, FlowEdge, FlowNode, Position } from '~/api/types'
import type { Differs } from '~/canvas/context'
import { sizeOf } from '~/doc/graph'
import { type Change, compare } from './compare'

/** Two documents on one drawing: the newer one, with what only the older one has. */
export interface Overlaid {
  doc: Flow
  changes: Change[]
  nodes: ReadonlyMap<string, Differs>
  edges: ReadonlyMap<string, Differs>
}

/** What is gone is drawn this far below where something else stands now. */
const gap = 24

/**
 * Draws what differs between two documents. Those that are drawn have places for all
 * nodes; a place that only the canvas gave is no difference.
 */
export function overlay(before: Flow | undefined, after: Flow, drawn: { before?: Flow; after: Flow }): Overlaid {
  if (!before) return { doc: drawn.after, changes: [], nodes: new Map(), edges: new Map() }
  // Where something stands is what a person asks for last.
  const changes = compare(before, after).sort((a, b) => Number(a.kind === 'moved') - Number(b.kind === 'moved'))
  const kinds = (list: 'nodes' | 'edges') =>
    new Map(changes.filter((c) => c.list === list && c.key !== '').map((c) => [c.key, c.kind]))
  const [nodes, edges] = [kinds('nodes'), kinds('edges')]
  const gone = (kind: ReadonlyMap<string, Differs>) => (item: FlowNode | FlowEdge) => kind.get(item.id) === 'removed'
  const ghosts = aside((drawn.before ?? before).nodes.filter(gone(nodes)), drawn.after.nodes)
  return {
    changes,
    nodes,
    edges,
    doc: {
      ...after,
      nodes: [...drawn.after.nodes, ...ghosts],
      edges: [...after.edges, ...before.edges.filter(gone(edges))],
    },
  }
}

/** The nodes that are gone, where they were, but under nothing that is there now. */
function aside(gone: readonly FlowNode[], present: readonly FlowNode[]): FlowNode[] {
  const taken = present.map(boxOf)
  return gone.map((node) => {
    const { width, height } = sizeOf(node)
    let at = node.position ?? { x: 0, y: 0 }
    for (let over = under(at); over; over = under(at)) at = { x: at.x, y: over.bottom + gap }
    taken.push(boxOf({ ...node, position: at }))
    return { ...node, position: at }

    function under({ x, y }: Position) {
      return taken.find((b) => x < b.right && x + width > b.left && y < b.bottom && y + height > b.top)
    }
  })
}

function boxOf(node: FlowNode) {
  const { x, y } = node.position ?? { x: 0, y: 0 }
  const { width, height } = sizeOf(node)
  return { left: x, top: y, right: x + width, bottom: y + height }
}
