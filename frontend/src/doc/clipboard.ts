import type { Flow, FlowEdge, FlowNode, Position, StickyNote } from '~/api/types'
import type { Command } from './commands'
import { edgeIds, freshId, nodeIds, snap } from './graph'

/** The format of what is put on the clipboard. */
const clipFormat = 'culm.clip/v1'

interface Clip {
  format: string
  nodes: FlowNode[]
  edges: FlowEdge[]
  notes?: StickyNote[]
}

/** Writes the selected nodes, the edges between them, and notes, as text. */
export function copyText(
  doc: Flow,
  selected: ReadonlySet<string>,
  noted: ReadonlySet<string> = new Set(),
): string | null {
  const nodes = doc.nodes.filter((n) => selected.has(n.id))
  const notes = (doc.notes ?? []).filter((n) => noted.has(n.id))
  if (nodes.length + notes.length === 0) return null
  const edges = doc.edges.filter((e) => selected.has(e.from) && selected.has(e.to))
  const clip: Clip = { format: clipFormat, nodes, edges, ...(notes.length > 0 ? { notes } : {}) }
  return JSON.stringify(clip, null, 2)
}

/** Reads what copyText wrote; null for any other text. */
export function readClip(text: string): Clip | null {
  try {
    const clip = JSON.parse(text) as Partial<Clip>
    if (clip?.format !== clipFormat || !Array.isArray(clip.nodes) || !Array.isArray(clip.edges)) return null
    return {
      format: clipFormat,
      nodes: clip.nodes,
      edges: clip.edges,
      ...(Array.isArray(clip.notes) ? { notes: clip.notes } : {}),
    }
  } catch {
    return null
  }
}

/** Makes the command that pastes a clip with new ids, moved by an offset. */
export function paste(doc: Flow, clip: Clip, offset: Position): { command: Command; ids: string[]; notes: string[] } {
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
  const takenNotes = new Set((doc.notes ?? []).map((n) => n.id))
  const notes = (clip.notes ?? []).map((note) => {
    const id = freshId(takenNotes, 'note')
    takenNotes.add(id)
    return { ...note, id, ...snap({ x: note.x + offset.x, y: note.y + offset.y }) }
  })
  const first = doc.notes?.length ?? 0
  const command: Command = {
    op: 'batch',
    commands: [
      { op: 'insert', list: 'nodes', items: nodes.map((item, i) => ({ index: doc.nodes.length + i, item })) },
      { op: 'insert', list: 'edges', items: edges.map((item, i) => ({ index: doc.edges.length + i, item })) },
      ...(notes.length > 0
        ? [{ op: 'insert', list: 'notes', items: notes.map((item, i) => ({ index: first + i, item })) } as const]
        : []),
    ],
  }
  return { command, ids: nodes.map((n) => n.id), notes: notes.map((n) => n.id) }
}
