import type { FlowEdge, FlowNode, NodeState } from '~/api/types'
import { sizeOf } from '~/doc/graph'

type Transform = readonly [number, number, number]

/** The colours of the overview, read from the tokens of the scheme that is shown. */
export interface Palette {
  idle: string
  edge: string
  selected: string
  states: Partial<Record<NodeState, string>>
}

interface Scene {
  nodes: readonly FlowNode[]
  lines: Path2D
  selected: ReadonlySet<string>
  transform: Transform
  palette: Palette
  stateOf(id: string): NodeState | undefined
}

/** A failed node is never smaller than this on the screen, in pixels. */
const failedMinPx = 6

export function readPalette(): Palette {
  const style = getComputedStyle(document.documentElement)
  const token = (name: string) => style.getPropertyValue(name).trim()
  const failed = token('--s-failed')
  const waiting = token('--s-waiting')
  const revoked = token('--s-revoked')
  return {
    idle: token('--edge'),
    edge: token('--line-strong'),
    selected: token('--accent'),
    states: {
      running: token('--s-running'),
      rolling_back: token('--s-running'),
      succeeded: token('--s-ok'),
      failed,
      unknown: failed,
      rollback_failed: failed,
      waiting,
      suspended: waiting,
      skipped: token('--s-skipped'),
      cancelled: revoked,
      rolled_back: revoked,
    },
  }
}

/** All edges as one path: it is made once a document, and drawn with one stroke. */
export function edgePath(nodes: readonly FlowNode[], edges: readonly FlowEdge[]): Path2D {
  const byId = new Map(nodes.map((n) => [n.id, n]))
  const path = new Path2D()
  for (const edge of edges) {
    const [from, to] = [byId.get(edge.from), byId.get(edge.to)]
    if (!from || !to) continue
    const [a, b] = [sizeOf(from), sizeOf(to)]
    const [x1, y1] = [(from.position?.x ?? 0) + a.width, (from.position?.y ?? 0) + a.height / 2]
    const [x2, y2] = [to.position?.x ?? 0, (to.position?.y ?? 0) + b.height / 2]
    const mid = (x1 + x2) / 2
    path.moveTo(x1, y1)
    path.lineTo(mid, y1)
    path.lineTo(mid, y2)
    path.lineTo(x2, y2)
  }
  return path
}

/** Draws the scene; nodes of one state are filled together, failed ones last. */
export function paint(canvas: HTMLCanvasElement, scene: Scene): void {
  const ratio = window.devicePixelRatio || 1
  const { clientWidth: width, clientHeight: height } = canvas
  if (canvas.width !== width * ratio || canvas.height !== height * ratio) {
    canvas.width = width * ratio
    canvas.height = height * ratio
  }
  const ctx = canvas.getContext('2d')
  if (!ctx) return
  const [tx, ty, zoom] = scene.transform
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0)
  ctx.clearRect(0, 0, width, height)
  ctx.setTransform(ratio * zoom, 0, 0, ratio * zoom, ratio * tx, ratio * ty)
  ctx.lineWidth = Math.max(1 / zoom, 1.5)
  ctx.strokeStyle = scene.palette.edge
  ctx.stroke(scene.lines)
  for (const [state, nodes] of buckets(scene)) fill(ctx, state, nodes, scene)
}

function buckets(scene: Scene): [NodeState | 'idle', FlowNode[]][] {
  const [tx, ty, zoom] = scene.transform
  const [left, top] = [-tx / zoom, -ty / zoom]
  const [right, bottom] = [left + window.innerWidth / zoom, top + window.innerHeight / zoom]
  const map = new Map<NodeState | 'idle', FlowNode[]>()
  for (const node of scene.nodes) {
    const { x, y } = node.position ?? { x: 0, y: 0 }
    if (x > right || y > bottom || x + 216 < left || y + 64 < top) continue
    const state = scene.stateOf(node.id) ?? 'idle'
    const bucket = map.get(state)
    if (bucket) bucket.push(node)
    else map.set(state, [node])
  }
  return [...map].sort(([a], [b]) => Number(isFailed(a)) - Number(isFailed(b)))
}

function isFailed(state: string): boolean {
  return state === 'failed' || state === 'unknown' || state === 'rollback_failed'
}

function fill(ctx: CanvasRenderingContext2D, state: NodeState | 'idle', nodes: FlowNode[], scene: Scene): void {
  const zoom = scene.transform[2]
  const least = isFailed(state) ? failedMinPx / zoom : 0
  const marked = new Path2D()
  ctx.fillStyle = (state !== 'idle' && scene.palette.states[state]) || scene.palette.idle
  ctx.beginPath()
  for (const node of nodes) {
    const size = sizeOf(node)
    const { x, y } = node.position ?? { x: 0, y: 0 }
    const [w, h] = [Math.max(size.width, least), Math.max(size.height, least)]
    const [left, top] = [x - (w - size.width) / 2, y - (h - size.height) / 2]
    ctx.rect(left, top, w, h)
    if (isFailed(state)) hatch(marked, left, top, w, h)
    if (scene.selected.has(node.id)) outline(ctx, left, top, w, h, scene)
  }
  ctx.fill()
  if (isFailed(state) && zoom > 0.12) {
    ctx.strokeStyle = '#fff'
    ctx.lineWidth = 3
    ctx.stroke(marked)
  }
}

/** A cross on failed nodes: the colour is not the only sign. */
function hatch(path: Path2D, x: number, y: number, w: number, h: number): void {
  const [cx, cy, r] = [x + w / 2, y + h / 2, Math.min(w, h) / 4]
  path.moveTo(cx - r, cy - r)
  path.lineTo(cx + r, cy + r)
  path.moveTo(cx + r, cy - r)
  path.lineTo(cx - r, cy + r)
}

function outline(ctx: CanvasRenderingContext2D, x: number, y: number, w: number, h: number, scene: Scene): void {
  const gap = 3 / scene.transform[2]
  ctx.save()
  ctx.strokeStyle = scene.palette.selected
  ctx.lineWidth = 2 / scene.transform[2]
  ctx.strokeRect(x - gap, y - gap, w + 2 * gap, h + 2 * gap)
  ctx.restore()
}

/** The node at a point of the window, or null; small ones are easier to hit than to see. */
export function hit(nodes: readonly FlowNode[], [tx, ty, zoom]: Transform, px: number, py: number): string | null {
  const [x, y, slack] = [(px - tx) / zoom, (py - ty) / zoom, 4 / zoom]
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i] as FlowNode
    const { width, height } = sizeOf(node)
    const p = node.position ?? { x: 0, y: 0 }
    if (x >= p.x - slack && y >= p.y - slack && x <= p.x + width + slack && y <= p.y + height + slack) return node.id
  }
  return null
}
