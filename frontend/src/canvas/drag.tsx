import { type OnNodeDrag, ViewportPortal } from '@xyflow/react'
import { useCallback, useRef, useState } from 'react'
import type { FlowNode, Position } from '~/api/types'
import type { Guide, guided } from '~/doc/align'
import type { CanvasNode } from './rf'

/** The line under a place of the window, if there is one. */
function edgeUnder(x: number, y: number): Element | null {
  for (const element of document.elementsFromPoint(x, y)) {
    const edge = element.closest('.react-flow__edge')
    if (edge) return edge
  }
  return null
}

/** Marks the line that what is dragged would fall into. The mark is a class: no line is drawn again for it. */
export function useDropEdge() {
  const marked = useRef<Element | null>(null)
  return useCallback((at: { clientX: number; clientY: number } | null): string | undefined => {
    const edge = at ? edgeUnder(at.clientX, at.clientY) : null
    if (edge !== marked.current) {
      marked.current?.classList.remove('ed-drop')
      edge?.classList.add('ed-drop')
      marked.current = edge
    }
    return edge?.getAttribute('data-id') ?? undefined
  }, [])
}

export type DropEdge = ReturnType<typeof useDropEdge>

interface Dragging {
  nodes: readonly FlowNode[]
  dropEdge: DropEdge
  /** What one dragged node falls into line with; without it nodes go where the pointer is. */
  guide?: typeof guided | undefined
  setDragged(places: ReadonlyMap<string, Position>): void
  onMove?: ((moves: ReadonlyMap<string, Position>, by: 'drag' | 'keyboard', edge?: string) => void) | undefined
}

/** A drag from its beginning to its end: guide lines on the way, and perhaps a line to fall into. */
export function useDragging({ nodes, dropEdge, guide, setDragged, onMove }: Dragging) {
  const active = useRef(false)
  const rest = useRef(new Map<string, Position>())
  const [guides, setGuides] = useState<readonly Guide[]>([])
  const latest = useRef(nodes)
  latest.current = nodes

  const drag = useCallback(
    (places: Map<string, Position>) => {
      const [only, more] = places
      const node = only && !more ? latest.current.find((n) => n.id === only[0]) : undefined
      if (only && node && guide) {
        const { position, guides: lines } = guide(node, only[1], latest.current)
        places.set(only[0], position)
        setGuides((old) => (old.length === 0 && lines.length === 0 ? old : lines))
      }
      rest.current = places
      setDragged(places)
    },
    [guide, setDragged],
  )
  const start = useCallback(() => {
    active.current = true
    rest.current = new Map()
  }, [])
  const over: OnNodeDrag<CanvasNode> = useCallback(
    (event, _node, moved) => {
      if (moved.length === 1 && 'clientX' in event) dropEdge(event)
    },
    [dropEdge],
  )
  const end = useCallback(
    (event: unknown, _node: CanvasNode, moved: CanvasNode[]) => {
      active.current = false
      const at = event as Partial<MouseEvent> | null
      const edge =
        moved.length === 1 && at?.clientX !== undefined && at.clientY !== undefined
          ? dropEdge({ clientX: at.clientX, clientY: at.clientY })
          : undefined
      dropEdge(null)
      setGuides([])
      setDragged(new Map())
      onMove?.(new Map(moved.map((n) => [n.id, rest.current.get(n.id) ?? n.position])), 'drag', edge)
    },
    [setDragged, onMove, dropEdge],
  )
  return { active, drag, start, over, end, guides }
}

/** The lines that a dragged node has in common with others. */
export function GuideLines({ guides }: { guides: readonly Guide[] }) {
  if (guides.length === 0) return null
  return (
    <ViewportPortal>
      {guides.map((g) => (
        <div
          key={`${g.axis}${g.at}`}
          className="cv-guide"
          data-axis={g.axis}
          style={
            g.axis === 'x'
              ? { transform: `translate(${g.at}px, ${g.from - 12}px)`, height: g.to - g.from + 24 }
              : { transform: `translate(${g.from - 12}px, ${g.at}px)`, width: g.to - g.from + 24 }
          }
        />
      ))}
    </ViewportPortal>
  )
}
