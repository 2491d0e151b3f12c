/**
 * The only file that touches the inner store and the change helpers of React
 * Flow: its next major version replaces them, and then only this file changes.
 */
import {
  applyNodeChanges,
  type Edge,
  getViewportForBounds,
  type Node,
  type NodeChange,
  type NodeHandle,
  Position,
  useReactFlow,
  useStore,
  type Viewport,
} from '@xyflow/react'
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import type { FlowEdge, FlowNode, Position as Point, StickyNote } from '~/api/types'
import { boundsOf, isGateway, type Rect, rectOf, sizeOf } from '~/doc/graph'
import type { Selection } from '~/ui/store'

export type CanvasNode = Node<{ node: FlowNode }, 'task' | 'gateway' | 'event'>
export type CanvasEdge = Edge<{ edge: FlowEdge; lane: number | undefined }, 'flow'>

export const minZoom = 0.05
export const maxZoom = 1.75
/** Below this zoom texts cannot be read, and one <canvas> is drawn instead. */
const overviewZoom = 0.4
/** A flow this small is drawn as it is at any zoom: it costs nothing, and keeps its shape. */
const smallMax = 60
/** More visible nodes than this cost more frames than they are worth. */
const visibleMax = 400

const handleSize = 8

/** Draws a document node as React Flow wants it, with everything known up front. */
function canvasNode(node: FlowNode, selected: boolean): CanvasNode {
  const { width, height } = sizeOf(node)
  const y = height / 2 - handleSize / 2
  const handles: NodeHandle[] = []
  if (node.type !== 'start') {
    handles.push({
      type: 'target',
      position: Position.Left,
      x: -handleSize / 2,
      y,
      width: handleSize,
      height: handleSize,
    })
  }
  if (node.type !== 'end') {
    handles.push({
      type: 'source',
      position: Position.Right,
      x: width - handleSize / 2,
      y,
      width: handleSize,
      height: handleSize,
    })
  }
  return {
    id: node.id,
    type: isGateway(node.type) ? 'gateway' : node.type === 'start' || node.type === 'end' ? 'event' : 'task',
    position: node.position ?? { x: 0, y: 0 },
    data: { node },
    width,
    height,
    handles,
    selected,
  }
}

/**
 * The nodes to draw: those of the document, and while a gesture runs those being
 * dragged at their transient places. Nodes that did not change keep their
 * identity, so that only what changed is drawn again.
 */
export function useCanvasNodes(nodes: readonly FlowNode[], selected: ReadonlySet<string>) {
  const cache = useRef(new Map<string, CanvasNode>())
  const [dragged, setDragged] = useState<ReadonlyMap<string, Point>>(new Map())
  const drawn = useMemo(() => {
    const next = new Map<string, CanvasNode>()
    for (const node of nodes) {
      const old = cache.current.get(node.id)
      const on = selected.has(node.id)
      const at = dragged.get(node.id)
      if (old && old.data.node === node && old.selected === on && (at ?? node.position) === old.position)
        next.set(node.id, old)
      else next.set(node.id, { ...canvasNode(node, on), ...(at ? { position: at, dragging: true } : {}) })
    }
    cache.current = next
    return [...next.values()]
  }, [nodes, selected, dragged])
  return { drawn, setDragged }
}

/** What a batch of changes of React Flow says, in our words. */
export interface Moves {
  /** Places that nodes have while they are dragged. */
  transient: Map<string, Point>
  /** Places that nodes got by the keyboard. */
  nudged: Map<string, Point>
}

/** Reads the moves out of a batch of changes; everything else is ours already. */
export function movesOf(changes: NodeChange<CanvasNode>[], nodes: CanvasNode[]): Moves {
  const moved = changes.filter((c) => c.type === 'position')
  const moves: Moves = { transient: new Map(), nudged: new Map() }
  if (moved.length === 0) return moves
  const after = new Map(applyNodeChanges(moved, nodes).map((n) => [n.id, n.position]))
  for (const change of moved) {
    const position = after.get(change.id)
    if (!position || !change.position) continue
    ;(change.dragging ? moves.transient : moves.nudged).set(change.id, position)
  }
  return moves
}

/** Reads the selection after a batch of changes. */
export function selectionAfter(
  old: Selection,
  nodes: readonly { type: string; id?: string; selected?: boolean }[],
  edges: readonly { type: string; id?: string; selected?: boolean }[],
): Selection | null {
  const next = { nodes: applySelect(old.nodes, nodes), edges: applySelect(old.edges, edges) }
  return next.nodes === old.nodes && next.edges === old.edges ? null : next
}

function applySelect(
  old: ReadonlySet<string>,
  changes: readonly { type: string; id?: string; selected?: boolean }[],
): ReadonlySet<string> {
  const selects = changes.filter((c) => c.type === 'select' && c.id !== undefined)
  if (selects.length === 0) return old
  const next = new Set(old)
  for (const c of selects) {
    if (c.selected) next.add(c.id as string)
    else next.delete(c.id as string)
  }
  return next
}

/** Whether the view is so far out, or so full, that one <canvas> is drawn. */
export function useOverview(nodes: readonly FlowNode[]): boolean {
  return useStore(useCallback((s) => isOverview(nodes, s.transform, s.width, s.height), [nodes]))
}

export function isOverview(
  nodes: readonly FlowNode[],
  [tx, ty, zoom]: readonly [number, number, number],
  width: number,
  height: number,
): boolean {
  if (zoom < overviewZoom) return nodes.length > smallMax
  if (nodes.length <= visibleMax) return false
  const [left, top] = [-tx / zoom, -ty / zoom]
  const [right, bottom] = [left + width / zoom, top + height / zoom]
  let visible = 0
  for (const node of nodes) {
    const { x, y } = node.position ?? { x: 0, y: 0 }
    if (x > right || y > bottom || x + 216 < left || y + 64 < top) continue
    if (++visible > visibleMax) return true
  }
  return false
}

/** The part of the plane that is shown: translation and zoom. */
export function useTransform(): readonly [number, number, number] {
  return useStore((s) => s.transform)
}

/** How far a node is drawn from its place in the document: what is dragged with it goes as far. */
export function useDragWay(node: FlowNode | undefined): Point | null {
  return useStore(
    useCallback(
      (s) => {
        const drawn = node && s.nodeLookup.get(node.id)
        const rest = node?.position ?? { x: 0, y: 0 }
        if (!drawn?.dragging) return null
        return { x: drawn.position.x - rest.x, y: drawn.position.y - rest.y }
      },
      [node],
    ),
    (a, b) => a?.x === b?.x && a?.y === b?.y,
  )
}

const padding = 0.12

/** What a drawing shows: nodes, and the notes around them. */
interface Shown {
  nodes: readonly FlowNode[]
  notes?: readonly StickyNote[]
}

/** The view that shows everything in a window of a size, never larger than life. */
function viewOf({ nodes, notes }: Shown, width: number, height: number): Viewport {
  return viewOfRect(boundsOf(nodes, notes), width, height)
}

/** A flow is opened no smaller than this, unless it is so large that only its shape can be seen. */
const readableZoom = 0.75

/**
 * The view that a flow is opened with: all of it where it can be read, else the
 * node that is asked for, or the beginning.
 */
export function firstView(shown: Shown, width: number, height: number, at?: string): Viewport {
  const { nodes } = shown
  if (nodes.length === 0) return { x: width / 3, y: height / 2, zoom: 1 }
  const whole = viewOf(shown, width, height)
  if (whole.zoom >= readableZoom || nodes.length > smallMax) return whole
  const zoom = readableZoom
  const bounds = boundsOf(nodes)
  const node = nodes.find((n) => n.id === at)
  const x = node ? width / 2 - ((node.position?.x ?? 0) + sizeOf(node).width / 2) * zoom : 48 - bounds.x * zoom
  const furthest = width - 48 - (bounds.x + bounds.width) * zoom
  const top = bounds.height * zoom > height ? 64 - bounds.y * zoom : height / 2 - (bounds.y + bounds.height / 2) * zoom
  return { x: Math.min(48 - bounds.x * zoom, Math.max(furthest, x)), y: top, zoom }
}

/**
 * Keeps the first view fitted while the page is put together around the drawing: bars, panels and fonts that come later
 * change its size. From the first press, key or turn of the wheel on the view is the person's, and stays where it is.
 */
export function useFirstView(start: Viewport, shown: Shown, at?: string): void {
  const { getViewport, setViewport } = useReactFlow()
  const width = useStore((s) => s.width)
  const height = useStore((s) => s.height)
  const fitted = useRef<Viewport | null>(start)
  const latest = useRef({ shown, at })
  latest.current = { shown, at }
  useEffect(() => {
    const leave = () => {
      fitted.current = null
    }
    const events = ['pointerdown', 'keydown', 'wheel'] as const
    for (const event of events) window.addEventListener(event, leave, { capture: true, passive: true })
    return () => {
      for (const event of events) window.removeEventListener(event, leave, { capture: true })
    }
  }, [])
  useEffect(() => {
    if (!fitted.current || width === 0 || height === 0) return
    // The page may have moved the view by itself, to show a node.
    if (!isSameView(fitted.current, getViewport())) {
      fitted.current = null
      return
    }
    const { shown, at } = latest.current
    fitted.current = firstView(shown, width, height, at)
    void setViewport(fitted.current)
  }, [width, height, getViewport, setViewport])
}

function isSameView(a: Viewport, b: Viewport): boolean {
  return a.x === b.x && a.y === b.y && a.zoom === b.zoom
}

function viewOfRect(rect: Rect, width: number, height: number): Viewport {
  return getViewportForBounds(rect, width, height, minZoom, 1, padding)
}

/** How the view gets to another place: it glides, unless one asked for less motion. Style sheets do not reach this. */
function glide(): { duration: number } {
  return { duration: matchMedia('(prefers-reduced-motion: reduce)').matches ? 0 : 140 }
}

/** How to move the view: these also work while nothing but the overview is drawn. */
export function useView(shown: Shown, drag: (places: ReadonlyMap<string, Point>) => void) {
  const { setViewport, getViewport, zoomIn, zoomOut, screenToFlowPosition, setCenter } = useReactFlow()
  const size = useRef({ width: 0, height: 0 })
  size.current = useStore(
    useCallback((s) => ({ width: s.width, height: s.height }), []),
    (a, b) => a.width === b.width && a.height === b.height,
  )
  const latest = useRef(shown)
  latest.current = shown
  return useMemo(
    () => ({
      fit: () => void setViewport(viewOf(latest.current, size.current.width, size.current.height), glide()),
      actual: () => {
        const { x, y, width, height } = boundsOf(latest.current.nodes, latest.current.notes)
        void setCenter(x + width / 2, y + height / 2, { zoom: 1, ...glide() })
      },
      zoomIn: () => void zoomIn(glide()),
      zoomOut: () => void zoomOut(glide()),
      toFlow: (point: Point) => screenToFlowPosition(point),
      /** Draws nodes at other places for as long as something else is dragged with them. */
      drag,
      /** Moves the view just so far that a rectangle is in sight. */
      reveal: (rect: Rect) => {
        const { x, y, zoom } = getViewport()
        const { width, height } = size.current
        const margin = 48
        const [left, top] = [rect.x * zoom + x, rect.y * zoom + y]
        const [right, bottom] = [left + rect.width * zoom, top + rect.height * zoom]
        const dx = left < margin ? margin - left : Math.min(0, width - margin - right)
        const dy = top < margin ? margin - top : Math.min(0, height - margin - bottom)
        if (dx !== 0 || dy !== 0) void setViewport({ x: x + dx, y: y + dy, zoom }, glide())
      },
      centre: (id: string) => {
        const node = latest.current.nodes.find((n) => n.id === id)
        if (!node) return
        const { x, y, width, height } = rectOf(node)
        void setCenter(x + width / 2, y + height / 2, { zoom: 1, ...glide() })
      },
    }),
    [setViewport, getViewport, setCenter, zoomIn, zoomOut, screenToFlowPosition, drag],
  )
}

/** The view, as the page around the canvas uses it. */
export type View = ReturnType<typeof useView>
