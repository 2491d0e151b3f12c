import { graphlib, layout } from '@dagrejs/dagre'
import type { Flow, FlowEdge, Position } from '~/api/types'
import { textIn } from '~/i18n/text'
import { sizeOf, snap } from './graph'

/** What the layout needs of a document. */
export type Drawing = Pick<Flow, 'nodes' | 'edges'>

/** Above this many nodes dagre takes seconds; ranks alone are quick at any size. */
const dagreNodesMax = 1500

const rankGap = 56
const nodeGap = 44

/** Lays a flow out from left to right; answers a position for every node. */
export function arrange(drawing: Drawing): Map<string, Position> {
  return drawing.nodes.length > dagreNodesMax ? byRank(drawing) : byDagre(drawing)
}

function byDagre(drawing: Drawing): Map<string, Position> {
  const graph = new graphlib.Graph()
  graph.setGraph({ rankdir: 'LR', ranksep: rankGap, nodesep: nodeGap, edgesep: 24 })
  graph.setDefaultEdgeLabel(() => ({}))
  for (const node of drawing.nodes) graph.setNode(node.id, { ...sizeOf(node) })
  for (const edge of drawing.edges)
    if (graph.hasNode(edge.from) && graph.hasNode(edge.to)) graph.setEdge(edge.from, edge.to, labelOf(edge))
  layout(graph)
  const out = new Map<string, Position>()
  for (const node of drawing.nodes) {
    const { x, y } = graph.node(node.id) as unknown as Position
    const { width, height } = sizeOf(node)
    // Centres on the grid, so that a straight line stays straight whatever the sizes.
    const centre = snap({ x, y })
    out.set(node.id, { x: centre.x - width / 2, y: centre.y - height / 2 })
  }
  return out
}

/** Room for the text on an edge. */
function labelOf(edge: FlowEdge): { width: number; height: number; labelpos: 'c' } {
  const text = textIn(edge.name, 'zh') || edge.condition || (edge.default ? 'default' : '')
  return { width: text ? Math.min(180, 20 + text.length * 7) : 0, height: text ? 22 : 0, labelpos: 'c' }
}

/** Longest-path layering: a column a rank, nodes in the order they are reached. */
function byRank(drawing: Drawing): Map<string, Position> {
  const rank = ranks(drawing)
  const rows = new Map<number, number>()
  const out = new Map<string, Position>()
  for (const node of drawing.nodes) {
    const column = rank.get(node.id) ?? 0
    const row = rows.get(column) ?? 0
    rows.set(column, row + 1)
    const { width, height } = sizeOf(node)
    out.set(node.id, { x: column * (216 + rankGap) + (216 - width) / 2, y: row * (64 + nodeGap) + (64 - height) / 2 })
  }
  return out
}

function ranks(drawing: Drawing): Map<string, number> {
  const waiting = new Map(drawing.nodes.map((n) => [n.id, 0]))
  const next = new Map<string, string[]>()
  for (const edge of drawing.edges) {
    if (!waiting.has(edge.from) || !waiting.has(edge.to)) continue
    waiting.set(edge.to, (waiting.get(edge.to) ?? 0) + 1)
    next.set(edge.from, [...(next.get(edge.from) ?? []), edge.to])
  }
  const rank = new Map<string, number>()
  const open = [...waiting].filter(([, n]) => n === 0).map(([id]) => id)
  for (let i = 0; i < open.length; i++) {
    const id = open[i] as string
    for (const to of next.get(id) ?? []) {
      rank.set(to, Math.max(rank.get(to) ?? 0, (rank.get(id) ?? 0) + 1))
      const left = (waiting.get(to) ?? 1) - 1
      waiting.set(to, left)
      if (left === 0) open.push(to)
    }
  }
  return rank
}
