import { Panel } from '@xyflow/react'
import { memo, type PointerEvent, useEffect, useMemo, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import type { FlowNode } from '~/api/types'
import { boundsOf, type Rect, rectOf } from '~/doc/graph'
import { useMapView } from './map-view'

/** The inside of the map in pixels; canvas.css gives the same numbers. */
const [mapWidth, mapHeight] = [158, 94]
/** What is left free around the flow, in pixels of the map. */
const margin = 5
/** A pointer that moves less than this many pixels is pressed and not dragged. */
const stillPx = 3

/**
 * The whole flow in a corner, with what is in sight left clear: a press goes there, dragging moves the view, the wheel
 * zooms. All nodes are one path, made once a document, because the map is drawn anew with every frame in which the view
 * moves.
 */
export const FlowMap = memo(function FlowMap({ nodes }: { nodes: readonly FlowNode[] }) {
  const { t } = useTranslation()
  const { seen, moveBy, zoomBy } = useMapView()
  const svg = useRef<SVGSVGElement>(null)
  const whole = useMemo(() => boundsOf(nodes), [nodes])
  const drawn = useMemo(() => nodes.map((n) => rect(rectOf(n))).join(''), [nodes])
  const held = useRef<{ x: number; y: number; pressed: boolean } | null>(null)
  useEffect(() => {
    const element = svg.current
    // React listens to the wheel in a way that cannot keep the browser from zooming the page.
    const wheel = (event: WheelEvent) => {
      event.preventDefault()
      zoomBy(2 ** (-event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 0.05 : 0.002)))
    }
    element?.addEventListener('wheel', wheel, { passive: false })
    return () => element?.removeEventListener('wheel', wheel)
  }, [zoomBy])

  const { scale, x, y, width, height } = shown(whole, seen)
  const move = (event: PointerEvent) => {
    const from = held.current
    if (!from) return
    const [dx, dy] = [event.clientX - from.x, event.clientY - from.y]
    // A finger is never still: what stays this close is a press.
    if (from.pressed && Math.hypot(dx, dy) < stillPx) return
    held.current = { x: event.clientX, y: event.clientY, pressed: false }
    moveBy(dx * scale, dy * scale)
  }
  const up = (event: PointerEvent) => {
    const from = held.current
    held.current = null
    if (!from?.pressed) return
    const box = event.currentTarget.getBoundingClientRect()
    moveBy(
      x + (event.clientX - box.left) * scale - (seen.x + seen.width / 2),
      y + (event.clientY - box.top) * scale - (seen.y + seen.height / 2),
    )
  }
  return (
    <Panel position="bottom-right" className="cv-map">
      <svg
        ref={svg}
        viewBox={`${x} ${y} ${width} ${height}`}
        role="img"
        aria-label={t('canvas.map')}
        onPointerDown={(event) => {
          held.current = { x: event.clientX, y: event.clientY, pressed: true }
          event.currentTarget.setPointerCapture(event.pointerId)
        }}
        onPointerMove={move}
        onPointerUp={up}
        onPointerCancel={() => {
          held.current = null
        }}
      >
        <path className="cv-map-nodes" d={drawn} />
        <path
          className="cv-map-mask"
          fillRule="evenodd"
          d={`${rect({ x: x - width, y: y - height, width: width * 3, height: height * 3 })}${rect(seen)}`}
        />
      </svg>
    </Panel>
  )
})

function rect({ x, y, width, height }: Rect): string {
  return `M${x} ${y}h${width}v${height}h${-width}z`
}

/** The part of the plane that the map shows: the flow and what is in sight, in the middle; and how much of it a pixel is. */
function shown(whole: Rect, seen: Rect): Rect & { scale: number } {
  const [left, top] = [Math.min(whole.x, seen.x), Math.min(whole.y, seen.y)]
  const right = Math.max(whole.x + whole.width, seen.x + seen.width)
  const bottom = Math.max(whole.y + whole.height, seen.y + seen.height)
  const scale = Math.max((right - left) / (mapWidth - 2 * margin), (bottom - top) / (mapHeight - 2 * margin))
  const [width, height] = [mapWidth * scale, mapHeight * scale]
  return { scale, x: (left + right - width) / 2, y: (top + bottom - height) / 2, width, height }
}
