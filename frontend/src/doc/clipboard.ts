import type { Flow, FlowEdge, FlowNode, Position } from '~/api/types'
import type { Command } from './commands'
import { edgeIds, freshId, nodeIds, snap } from './graph'

/** The format of what is put on the clipboard. */
const clipFormat = 'culm.clip/v1'

interface Clip {
  format: string
  nodes: FlowNode[]
  edges: FlowEdge[]
}

/** Writes the selected nodes, and the edges between them, as text. */
export function copyText(doc: Flow, selected: ReadonlySet<string>): string | null {
  const nodes = doc.nodes.filter((n) => selected.has(n.id))
  if (nodes.length === 0) return null
  const edges = doc.edges.filter((e) => selected.has(e.from) && selected.has(e.to))
  const clip: Clip = { format: clipFormat, nodes, edges }
  return JSON.stringify(clip, null, 2)
}

/** Reads what copyText wrote; null for any other text. */
export function readClip(text: string): Clip | null {
  try {
    const clip = JSON.parse(text) as Partial<Clip>
    if (clip?.format !== clipFormat || !Array.isArray(clip.nodes) || !Array.isArray(clip.edges)) return null
    return { format: clipFormat, nodes: clip.nodes, edges: clip.edges }
  } catch {
    return null
  }
}

/** Makes the command that pastes a clip with new ids, moved by an offset. */
export function paste(doc: Flow, clip: Clip, offset: Position): { command: Command; ids: string[] } {
  const takenNodes = nodeIds(doc)
  const takenEdges = edgeIds(doc)
  const renamed = new Map<string, string>()
  const nodes: FlowNode[] = []
  for (const node of clip.nodes) {
    if (node.type === 'start' && doc.nodes.some((n) => n.type === 'start')) continue
    const id = freshId(takenNodes, node.id.replace(/\d+$/, ''))
    takenNodes.add(id)
    renamed.set(node.id, id)
    const at = node.position ?? { x: 0, y: 0 }
    nodes.push({ ...node, id, position: snap({ x: at.x + offset.x, y: at.y + offset.y }) })
  }
  const edges: FlowEdge[] = []
  for (const edge of clip.edges) {
    const [from, to] = [renamed.get(edge.from), renamed.get(edge.to)]
    if (!from || !to) continue
    const id = freshId(takenEdges, 'e')
    takenEdges.add(id)
    edges.push({ ...edge, id, from, to })
  }
  const command: Command = {
    op: 'batch',
    commands: [
      { op: 'insert', list: 'nodes', items: nodes.map((item, i) => ({ index: doc.nodes.length + i, item })) },
      { op: 'insert', list: 'edges', items: edges.map((item, i) => ({ index: doc.edges.length + i, item })) },
    ],
  }
  return { command, ids: nodes.map((n) => n.id) }
}
