import type { Flow, Position } from '~/api/types'
import type { Differs } from '~/canvas/context'
import { type Rect, rectOf } from '~/doc/graph'
import { noteRect } from '~/doc/notes'
import { type Change, compare } from './compare'

/** Two documents on one drawing: the newer one, with what only the older one has. */
export interface Overlaid {
  doc: Flow
  changes: Change[]
  nodes: ReadonlyMap<string, Differs>
  edges: ReadonlyMap<string, Differs>
  notes: ReadonlyMap<string, Differs>
}

/** What is gone is drawn this far below where something else stands now. */
const gap = 24

/**
 * Draws what differs between two documents. Those that are drawn have places for all
 * nodes; a place that only the canvas gave is no difference.
 */
export function overlay(before: Flow | undefined, after: Flow, drawn: { before?: Flow; after: Flow }): Overlaid {
  if (!before) return { doc: drawn.after, changes: [], nodes: none, edges: none, notes: none }
  // Where something stands is what a person asks for last.
  const changes = compare(before, after).sort((a, b) => Number(a.kind === 'moved') - Number(b.kind === 'moved'))
  const kinds = (list: 'nodes' | 'edges' | 'notes') =>
    new Map(changes.filter((c) => c.list === list && c.key !== '').map((c) => [c.key, c.kind]))
  const [nodes, edges, notes] = [kinds('nodes'), kinds('edges'), kinds('notes')]
  const gone = (kind: ReadonlyMap<string, Differs>) => (item: { id: string }) => kind.get(item.id) === 'removed'
  const ghosts = aside((drawn.before ?? before).nodes.filter(gone(nodes)), drawn.after.nodes, rectOf, (node, at) => ({
    ...node,
    position: at,
  }))
  const papers = after.notes ?? []
  const oldPapers = aside((before.notes ?? []).filter(gone(notes)), papers, noteRect, (note, at) => ({
    ...note,
    ...at,
  }))
  return {
    changes,
    nodes,
    edges,
    notes,
    doc: {
      ...after,
      nodes: [...drawn.after.nodes, ...ghosts],
      edges: [...after.edges, ...before.edges.filter(gone(edges))],
      notes: [...papers, ...oldPapers],
    },
  }
}

const none: ReadonlyMap<string, Differs> = new Map()

/** What is gone, where it was, but under nothing that is there now. */
function aside<T>(
  gone: readonly T[],
  present: readonly T[],
  boxOf: (item: T) => Rect,
  put: (item: T, at: Position) => T,
) {
  const taken = present.map(boxOf)
  return gone.map((item) => {
    let box = boxOf(item)
    for (let over = under(box); over; over = under(box)) box = { ...box, y: over.y + over.height + gap }
    taken.push(box)
    return put(item, { x: box.x, y: box.y })
  })

  function under(box: Rect) {
    return taken.find(
      (b) => box.x < b.x + b.width && box.x + box.width > b.x && box.y < b.y + b.height && box.y + box.height > b.y,
    )
  }
}
