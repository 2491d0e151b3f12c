import type { FlowEdge, FlowNode } from '~/api/types'
import { type Rect, rectOf } from '~/doc/graph'

/** Above this many nodes edges go straight: nobody reads single lines then. */
const nodesMax = 600

/** How far a lane stays away from the nodes that it passes. */
const clearance = 26

/** How far an edge runs on before it turns. */
const stub = 18

const radius = 8

/**
 * Finds a lane for every edge that would run through a node: the height at which it
 * passes above or below what lies between its ends. Other edges have none.
 */
export function lanesOf(nodes: readonly FlowNode[], edges: readonly FlowEdge[]): ReadonlyMap<string, number> {
  const lanes = new Map<string, number>()
  if (nodes.length > nodesMax) return lanes
  const rects = new Map(nodes.map((n) => [n.id, rectOf(n)]))
  for (const edge of edges) {
    const [from, to] = [rects.get(edge.from), rects.get(edge.to)]
    if (!from || !to) continue
    const lane = laneOf(from, to, rects)
    if (lane !== undefined) lanes.set(edge.id, lane)
  }
  return lanes
}

function laneOf(from: Rect, to: Rect, rects: ReadonlyMap<string, Rect>): number | undefined {
  const [x1, y1] = [from.x + from.width, from.y + from.height / 2]
  const [x2, y2] = [to.x, to.y + to.height / 2]
  if (x2 - x1 < 2 * stub) return undefined
  const between = [...rects.values()].filter((r) => r !== from && r !== to && r.x < x2 && r.x + r.width > x1)
  const middle = (x1 + x2) / 2
  const blocked = between.some(
    (r) =>
      crosses(r, x1, y1, middle, y1) ||
      crosses(r, middle, Math.min(y1, y2), middle, Math.max(y1, y2)) ||
      crosses(r, middle, y2, x2, y2),
  )
  if (!blocked) return undefined
  // Labels hang below gateways and events, so a lane below needs more room.
  const above = Math.min(y1, y2, ...between.map((r) => r.y)) - clearance
  const below = Math.max(y1, y2, ...between.map((r) => r.y + r.height)) + clearance + 18
  const centre = (y1 + y2) / 2
  return centre - above <= below - centre ? above : below
}

function crosses(r: Rect, x1: number, y1: number, x2: number, y2: number): boolean {
  const gap = 4
  return r.x - gap < x2 && r.x + r.width + gap > x1 && r.y - gap < y2 && r.y + r.height + gap > y1
}

interface Ends {
  sourceX: number
  sourceY: number
  targetX: number
  targetY: number
}

/** The path of an edge along its lane, with the place for its label. */
export function lanePath({ sourceX, sourceY, targetX, targetY }: Ends, lane: number): [string, number, number] {
  const points: [number, number][] = [
    [sourceX, sourceY],
    [sourceX + stub, sourceY],
    [sourceX + stub, lane],
    [targetX - stub, lane],
    [targetX - stub, targetY],
    [targetX, targetY],
  ]
  let path = `M${sourceX} ${sourceY}`
  for (let i = 1; i < points.length - 1; i++)
    path += bend(points[i - 1] as Point, points[i] as Point, points[i + 1] as Point)
  path += ` L${targetX} ${targetY}`
  return [path, Math.min(sourceX + stub + 70, (sourceX + targetX) / 2), lane]
}

type Point = [number, number]

function bend(before: Point, at: Point, after: Point): string {
  const r = Math.min(radius, distance(before, at) / 2, distance(at, after) / 2)
  const [ax, ay] = toward(at, before, r)
  const [bx, by] = toward(at, after, r)
  return ` L${ax} ${ay} Q${at[0]} ${at[1]} ${bx} ${by}`
}

function distance(a: Point, b: Point): number {
  return Math.abs(a[0] - b[0]) + Math.abs(a[1] - b[1])
}

function toward(from: Point, to: Point, by: number): Point {
  const d = distance(from, to) || 1
  return [from[0] + ((to[0] - from[0]) / d) * by, from[1] + ((to[1] - from[1]) / d) * by]
}
