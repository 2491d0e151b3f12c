import type { Flow, FlowEdge, FlowNode, NodeType, Position, StickyNote } from '~/api/types'
import type { Command } from './commands'
import { forgetInSchemes } from './leaving'

/** The sizes that nodes are drawn with; known up front, so nothing is measured. */
const sizes: Record<NodeType, { width: number; height: number }> = {
  start: { width: 44, height: 44 },
  end: { width: 44, height: 44 },
  task: { width: 216, height: 64 },
  subflow: { width: 216, height: 64 },
  exclusive: { width: 52, height: 52 },
  parallel: { width: 52, height: 52 },
  inclusive: { width: 52, height: 52 },
  join: { width: 52, height: 52 },
}

/** The grid that nodes snap to, in pixels. */
export const grid = 8

export function sizeOf(node: Pick<FlowNode, 'type'>): { width: number; height: number } {
  return sizes[node.type]
}

export function isGateway(type: NodeType): boolean {
  return type === 'exclusive' || type === 'parallel' || type === 'inclusive' || type === 'join'
}

/** Whether edges that leave such a node carry conditions. */
export function hasConditions(type: NodeType): boolean {
  return type === 'exclusive' || type === 'inclusive'
}

/** Why two nodes cannot be connected; the names of messages under `connect`. */
export type Refusal = 'self' | 'duplicate' | 'intoStart' | 'outOfEnd' | 'oneOut' | 'startToEnd'

const singleOut: ReadonlySet<NodeType> = new Set(['start', 'task', 'subflow', 'join'])

/** Says why an edge from one node to another is not allowed, or null. */
export function refusal(doc: Flow, from: string, to: string): Refusal | null {
  const source = doc.nodes.find((n) => n.id === from)
  const target = doc.nodes.find((n) => n.id === to)
  if (!source || !target || from === to) return 'self'
  if (target.type === 'start') return 'intoStart'
  if (source.type === 'end') return 'outOfEnd'
  if (doc.edges.some((e) => e.from === from && e.to === to)) return 'duplicate'
  if (singleOut.has(source.type) && doc.edges.some((e) => e.from === from)) return 'oneOut'
  if (source.type === 'start' && target.type === 'end') return 'startToEnd'
  return null
}

/** Makes an id that the document does not use yet: task1, task2, ... */
export function freshId(taken: ReadonlySet<string>, stem: string): string {
  const clean = stem.replace(/[^A-Za-z0-9_]/g, '_').replace(/^[^A-Za-z]+/, '')
  const base = clean === '' ? 'n' : clean
  if (!taken.has(base) && !/\d$/.test(base) && (base === 'start' || base === 'end')) return base
  for (let i = 1; ; i++) {
    const id = `${base}${i}`.slice(-64)
    if (!taken.has(id)) return id
  }
}

export function nodeIds(doc: Flow): Set<string> {
  return new Set(doc.nodes.map((n) => n.id))
}

export function edgeIds(doc: Flow): Set<string> {
  return new Set(doc.edges.map((e) => e.id))
}

export function snap(p: Position): Position {
  return { x: Math.round(p.x / grid) * grid, y: Math.round(p.y / grid) * grid }
}

/** The command that adds one node. */
export function addNode(doc: Flow, node: FlowNode): Command {
  return { op: 'insert', list: 'nodes', items: [{ index: doc.nodes.length, item: node }] }
}

/** The command that connects two nodes; the caller has asked refusal before. */
export function connect(doc: Flow, from: string, to: string): Command {
  const edge: FlowEdge = { id: freshId(edgeIds(doc), 'e'), from, to }
  return { op: 'insert', list: 'edges', items: [{ index: doc.edges.length, item: edge }] }
}

/** The command that removes nodes with the edges at them, edges, and notes. */
export function removeAll(
  doc: Flow,
  nodes: ReadonlySet<string>,
  edges: ReadonlySet<string>,
  notes: ReadonlySet<string> = new Set(),
): Command {
  const dead = doc.edges.filter((e) => edges.has(e.id) || nodes.has(e.from) || nodes.has(e.to)).map((e) => e.id)
  return {
    op: 'batch',
    commands: [
      ...forgetInSchemes(doc, nodes),
      { op: 'remove', list: 'edges', keys: dead },
      { op: 'remove', list: 'nodes', keys: [...nodes] },
      { op: 'remove', list: 'notes', keys: [...notes] },
    ],
  }
}

/** The command that moves nodes. */
export function moveTo(moves: ReadonlyMap<string, Position>): Command {
  return {
    op: 'batch',
    commands: [...moves].map(([key, position]) => ({ op: 'set', list: 'nodes', key, patch: { position } })),
  }
}

/** Makes one edge the default of its gateway, and the others not. */
export function setDefault(doc: Flow, edge: FlowEdge, on: boolean): Command {
  const others = doc.edges.filter((e) => e.from === edge.from && e.id !== edge.id && e.default)
  const commands: Command[] = others.map((e) => ({
    op: 'set',
    list: 'edges',
    key: e.id,
    patch: { default: undefined },
  }))
  const patch = on ? { default: true, condition: undefined } : { default: undefined }
  return { op: 'batch', commands: [...commands, { op: 'set', list: 'edges', key: edge.id, patch }] }
}

/** Moves an edge before or behind its siblings, because their order counts. */
export function reorderEdge(doc: Flow, edge: FlowEdge, by: -1 | 1): Command | null {
  const siblings = doc.edges.filter((e) => e.from === edge.from)
  const neighbour = siblings[siblings.findIndex((e) => e.id === edge.id) + by]
  if (!neighbour) return null
  const to = doc.edges.findIndex((e) => e.id === neighbour.id)
  return { op: 'reorder', list: 'edges', key: edge.id, to }
}

export interface Rect {
  x: number
  y: number
  width: number
  height: number
}

/** Where a node is, and how large; one without a place is at the origin. */
export function rectOf(node: Pick<FlowNode, 'type' | 'position'>): Rect {
  return { ...(node.position ?? { x: 0, y: 0 }), ...sizeOf(node) }
}

/** The smallest rectangle around all nodes; a small one at the origin for none. */
export function boundsOf(nodes: readonly FlowNode[], notes: readonly StickyNote[] = []): Rect {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity]
  for (const node of nodes) {
    const { x, y, width, height } = rectOf(node)
    left = Math.min(left, x)
    top = Math.min(top, y)
    right = Math.max(right, x + width)
    bottom = Math.max(bottom, y + height)
  }
  for (const { x, y, w, h } of notes) {
    left = Math.min(left, x)
    top = Math.min(top, y)
    right = Math.max(right, x + w)
    bottom = Math.max(bottom, y + h)
  }
  if (left === Infinity) return { x: 0, y: 0, width: 1, height: 1 }
  return { x: left, y: top, width: right - left, height: bottom - top }
}

/** A free place near the wanted one: nodes do not cover each other exactly. */
export function freeSpot(doc: Flow, wanted: Position): Position {
  let p = snap(wanted)
  const clash = (q: Position) =>
    doc.nodes.some((n) => n.position && Math.abs(n.position.x - q.x) < 24 && Math.abs(n.position.y - q.y) < 24)
  while (clash(p)) p = { x: p.x + 24, y: p.y + 24 }
  return p
}
