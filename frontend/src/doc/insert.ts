import type { Flow, FlowEdge, FlowNode, Position } from '~/api/types'
import type { Command } from './commands'
import { edgeIds, freeSpot, freshId, hasConditions, isGateway, nodeIds, sizeOf, snap } from './graph'
import { forgetInSchemes } from './leaving'

/** A node that is not in the drawing yet: it has no id and no place. */
export type NewNode = Omit<FlowNode, 'id' | 'position'>

/** What an insertion does: the command, and the id of the new node. */
export interface Insertion {
  command: Command
  id: string
}

/** The room between two nodes of a row. */
const gap = 56

/** Whether a node may stand in the middle of a line. */
export function fitsOnEdge(node: Pick<FlowNode, 'type'>): boolean {
  return node.type !== 'start' && node.type !== 'end'
}

/**
 * Puts a new node into a line: what led to the target now leads to the node, with its condition, and the node
 * leads to the target. Null where no such node can stand there.
 */
export function insertOnEdge(doc: Flow, edgeId: string, node: NewNode, at?: Position): Insertion | null {
  const edge = doc.edges.find((e) => e.id === edgeId)
  const ends = edge && endsOf(doc, edge)
  if (!edge || !ends || !fitsOnEdge(node)) return null
  const id = freshId(nodeIds(doc), node.action ?? node.type)
  const room = roomBetween(ends.from, ends.to, node)
  const position = room?.position ?? at ?? { x: 0, y: 0 }
  const item: FlowNode = { id, ...node, position: at && !room?.push ? snap(centredAt(at, node)) : position }
  return {
    id,
    command: {
      op: 'batch',
      commands: [
        ...(room?.push ? pushed(doc, ends.to.id, edge.from, room.push) : []),
        { op: 'insert', list: 'nodes', items: [{ index: doc.nodes.length, item }] },
        ...rewired(doc, edge, id),
      ],
    },
  }
}

/** Puts a node that is drawn already into a line. Null where it cannot stand there. */
export function moveOntoEdge(doc: Flow, edgeId: string, nodeId: string): Command | null {
  const edge = doc.edges.find((e) => e.id === edgeId)
  const node = doc.nodes.find((n) => n.id === nodeId)
  if (!edge || !node || !fitsOnEdge(node) || edge.from === nodeId || edge.to === nodeId) return null
  // One that is part of a path already keeps its lines: only a loose one falls into a line.
  if (doc.edges.some((e) => e.from === nodeId || e.to === nodeId)) return null
  return { op: 'batch', commands: rewired(doc, edge, nodeId) }
}

/**
 * Puts a new node behind another one. Where that has one way out already, the node goes into it; behind a gateway
 * that splits, it begins another branch.
 */
export function insertAfter(doc: Flow, after: string, node: NewNode, at?: Position): Insertion | null {
  const source = doc.nodes.find((n) => n.id === after)
  if (!source || source.type === 'end' || node.type === 'start') return null
  const out = doc.edges.filter((e) => e.from === after)
  const splits = isGateway(source.type) && source.type !== 'join'
  const [only] = out
  if (only && !splits) return insertOnEdge(doc, only.id, node, at)
  if (source.type === 'start' && node.type === 'end') return null
  const id = freshId(nodeIds(doc), node.action ?? node.type)
  const position = at ? snap(centredAt(at, node)) : placeBehind(doc, source, node, out.length)
  return {
    id,
    command: {
      op: 'batch',
      commands: [
        { op: 'insert', list: 'nodes', items: [{ index: doc.nodes.length, item: { id, ...node, position } }] },
        newEdge(doc, after, id, doc.edges.length),
      ],
    },
  }
}

/** Takes a node out of its path: what led to it leads to what it led to, where that is one node. */
export function bridged(doc: Flow, id: string): Command | null {
  const into = doc.edges.filter((e) => e.to === id)
  const out = doc.edges.filter((e) => e.from === id)
  const [next] = out
  if (!next || out.length !== 1 || next.to === id) return null
  const commands: Command[] = [{ op: 'remove', list: 'edges', keys: [next.id] }]
  for (const edge of into) {
    const double = doc.edges.some((e) => e.from === edge.from && e.to === next.to && e.id !== edge.id)
    commands.push(
      double
        ? { op: 'remove', list: 'edges', keys: [edge.id] }
        : { op: 'set', list: 'edges', key: edge.id, patch: { to: next.to } },
    )
  }
  return {
    op: 'batch',
    commands: [...forgetInSchemes(doc, new Set([id])), ...commands, { op: 'remove', list: 'nodes', keys: [id] }],
  }
}

/** Takes away the lines of nodes and leaves the nodes. */
export function detached(doc: Flow, ids: ReadonlySet<string>): Command | null {
  const keys = doc.edges.filter((e) => ids.has(e.from) || ids.has(e.to)).map((e) => e.id)
  return keys.length > 0 ? { op: 'remove', list: 'edges', keys } : null
}

function endsOf(doc: Flow, edge: FlowEdge): { from: FlowNode; to: FlowNode } | null {
  const from = doc.nodes.find((n) => n.id === edge.from)
  const to = doc.nodes.find((n) => n.id === edge.to)
  return from && to ? { from, to } : null
}

/** The line now leads to the node, and a new one from there on. */
function rewired(doc: Flow, edge: FlowEdge, id: string): Command[] {
  const index = doc.edges.indexOf(edge) + 1
  return [{ op: 'set', list: 'edges', key: edge.id, patch: { to: id } }, newEdge(doc, id, edge.to, index, doc)]
}

function newEdge(doc: Flow, from: string, to: string, index: number, known?: Flow): Command {
  const id = freshId(edgeIds(known ?? doc), 'e')
  return { op: 'insert', list: 'edges', items: [{ index, item: { id, from, to } }] }
}

function centredAt(at: Position, node: Pick<FlowNode, 'type'>): Position {
  const { width, height } = sizeOf(node)
  return { x: at.x - width / 2, y: at.y - height / 2 }
}

/** The place between two nodes, and how far what follows must move for it. */
function roomBetween(from: FlowNode, to: FlowNode, node: NewNode): { position: Position; push: number } | null {
  if (!from.position || !to.position) return null
  const [a, b, own] = [sizeOf(from), sizeOf(to), sizeOf(node)]
  const left = from.position.x + a.width
  const middle = (from.position.y + a.height / 2 + to.position.y + b.height / 2) / 2
  const straight = Math.abs(from.position.y + a.height / 2 - to.position.y - b.height / 2) < 1
  const y = (straight ? middle : snap({ x: 0, y: middle }).y) - own.height / 2
  const need = own.width + 2 * gap
  const has = to.position.x - left
  // A line that leads back has no room of its own: nothing is pushed around for it.
  if (has < 0) return { position: { x: left + gap, y: from.position.y + a.height + gap }, push: 0 }
  const push = has >= need - gap ? 0 : Math.ceil((need - has) / 16) * 16
  const x = push > 0 ? left + gap : left + (has - own.width) / 2
  return { position: { x: Math.round(x), y }, push }
}

/** Moves a node and all that follows it to the right; what leads back to the line's beginning stays. */
function pushed(doc: Flow, first: string, stop: string, by: number): Command[] {
  const next = new Map<string, string[]>()
  for (const e of doc.edges) next.set(e.from, [...(next.get(e.from) ?? []), e.to])
  const origin = doc.nodes.find((n) => n.id === first)?.position?.x ?? 0
  const found = new Set<string>([first])
  const open = [first]
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    for (const to of next.get(id) ?? []) {
      if (found.has(to) || to === stop) continue
      found.add(to)
      open.push(to)
    }
  }
  return doc.nodes
    .filter((n) => found.has(n.id) && n.position && n.position.x >= origin)
    .map((n) => ({
      op: 'set',
      list: 'nodes',
      key: n.id,
      patch: { position: { x: (n.position as Position).x + by, y: (n.position as Position).y } },
    }))
}

/** Right of a node, in its row; another branch of a gateway goes below the last one. */
function placeBehind(doc: Flow, source: FlowNode, node: NewNode, branch: number): Position {
  const at = source.position ?? { x: 0, y: 0 }
  const size = sizeOf(source)
  const own = sizeOf(node)
  const row = hasConditions(source.type) || source.type === 'parallel' ? branch * (64 + 44) : 0
  const position = { x: at.x + size.width + gap, y: at.y + size.height / 2 - own.height / 2 + row }
  const covers = doc.nodes.some(
    (n) => n.position && Math.abs(n.position.x - position.x) < 24 && Math.abs(n.position.y - position.y) < 24,
  )
  return covers ? freeSpot(doc, position) : position
}
