import type { FlowNode, Position } from '~/api/types'
import { type Rect, rectOf } from './graph'

/** How selected nodes are put in line. */
export type Alignment = 'left' | 'centre' | 'right' | 'top' | 'middle' | 'bottom'

/** In which direction the gaps between nodes are made equal. */
export type Direction = 'across' | 'down'

interface Box extends Rect {
  id: string
}

function boxes(nodes: readonly FlowNode[]): Box[] {
  return nodes.map((n) => ({ id: n.id, ...rectOf(n) }))
}

/** The new places of nodes that are put in line; those that stay are not in the answer. */
export function aligned(nodes: readonly FlowNode[], how: Alignment): Map<string, Position> {
  const all = boxes(nodes)
  const left = Math.min(...all.map((b) => b.x))
  const right = Math.max(...all.map((b) => b.x + b.width))
  const top = Math.min(...all.map((b) => b.y))
  const bottom = Math.max(...all.map((b) => b.y + b.height))
  const place = (b: Box): Position => {
    switch (how) {
      case 'left':
        return { x: left, y: b.y }
      case 'right':
        return { x: right - b.width, y: b.y }
      case 'centre':
        return { x: Math.round((left + right - b.width) / 2), y: b.y }
      case 'top':
        return { x: b.x, y: top }
      case 'bottom':
        return { x: b.x, y: bottom - b.height }
      case 'middle':
        return { x: b.x, y: Math.round((top + bottom - b.height) / 2) }
    }
  }
  return changed(all, place)
}

/** Makes the gaps between nodes equal; the first and the last one stay. Fewer than three stay as they are. */
export function distributed(nodes: readonly FlowNode[], direction: Direction): Map<string, Position> {
  const along = (b: Box) => (direction === 'across' ? b.x : b.y)
  const length = (b: Box) => (direction === 'across' ? b.width : b.height)
  const all = boxes(nodes).sort((a, b) => along(a) + length(a) / 2 - along(b) - length(b) / 2)
  const [first, last] = [all[0], all.at(-1)]
  if (!first || !last || all.length < 3) return new Map()
  const inner = all.reduce((sum, b) => sum + length(b), 0)
  const space = (along(last) + length(last) - along(first) - inner) / (all.length - 1)
  const starts = new Map<string, number>()
  let at = along(first)
  for (const b of all) {
    starts.set(b.id, Math.round(at))
    at += length(b) + space
  }
  return changed(all, (b) => {
    if (b === first || b === last) return { x: b.x, y: b.y }
    const start = starts.get(b.id) ?? 0
    return direction === 'across' ? { x: start, y: b.y } : { x: b.x, y: start }
  })
}

function changed(all: readonly Box[], place: (b: Box) => Position): Map<string, Position> {
  const out = new Map<string, Position>()
  for (const b of all) {
    const p = place(b)
    if (p.x !== b.x || p.y !== b.y) out.set(b.id, p)
  }
  return out
}

/** A line through something that is moved and something that stays. */
export interface Guide {
  axis: 'x' | 'y'
  at: number
  from: number
  to: number
}

/** Closer than this to a line, in pixels of the drawing, a moved node jumps onto it. */
const snapDistance = 5

/**
 * Where a moved node comes to rest beside the others, and the lines that it is then on: edges and centres count.
 * Only nodes that are near enough to be seen together are looked at.
 */
export function guided(
  moved: FlowNode,
  at: Position,
  others: readonly FlowNode[],
  reach = 1200,
): { position: Position; guides: Guide[] } {
  const own: Box = { id: moved.id, ...rectOf(moved), ...at }
  // This runs at every move of the mouse, so what is far away is left out before anything is made of it.
  const near = boxes(
    others.filter(
      ({ id, position }) =>
        id !== moved.id && Math.abs((position?.x ?? 0) - own.x) < reach && Math.abs((position?.y ?? 0) - own.y) < reach,
    ),
  )
  const dx = nearest(own.x, own.width, near, 'x')
  const dy = nearest(own.y, own.height, near, 'y')
  const position = { x: own.x + (dx ?? 0), y: own.y + (dy ?? 0) }
  const placed = { ...own, ...position }
  const guides = [
    ...(dx === null ? [] : guidesOf(placed, near, 'x')),
    ...(dy === null ? [] : guidesOf(placed, near, 'y')),
  ]
  return { position, guides }
}

function linesOf(start: number, size: number): [number, number, number] {
  return [start, start + size / 2, start + size]
}

/** The smallest step that puts one of a node's lines onto the same line of another; null where none is near. */
function nearest(start: number, size: number, near: readonly Box[], axis: 'x' | 'y'): number | null {
  let best: number | null = null
  const own = linesOf(start, size)
  // Centres come first: what flows is drawn through them.
  for (const i of [1, 0, 2]) {
    for (const b of near) {
      const theirs = axis === 'x' ? linesOf(b.x, b.width) : linesOf(b.y, b.height)
      const step = (theirs[i] as number) - (own[i] as number)
      if (Math.abs(step) <= snapDistance && (best === null || Math.abs(step) < Math.abs(best))) best = step
    }
  }
  return best
}

function guidesOf(placed: Box, near: readonly Box[], axis: 'x' | 'y'): Guide[] {
  const across = axis === 'x'
  const own = across ? linesOf(placed.x, placed.width) : linesOf(placed.y, placed.height)
  const span = (b: Box) => (across ? [b.y, b.y + b.height] : [b.x, b.x + b.width]) as [number, number]
  const out: Guide[] = []
  own.forEach((line, i) => {
    const on = near.filter((b) => {
      const theirs = across ? linesOf(b.x, b.width) : linesOf(b.y, b.height)
      return Math.abs((theirs[i] as number) - line) < 0.5
    })
    if (on.length === 0) return
    const ends = [placed, ...on].flatMap(span)
    out.push({ axis, at: line, from: Math.min(...ends), to: Math.max(...ends) })
  })
  // Nodes of one size share all three lines: the middle one says it.
  return out.length === 3 ? [out[1] as Guide] : out
}
