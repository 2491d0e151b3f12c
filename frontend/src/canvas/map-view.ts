/** What the map needs of the inside of React Flow: apart from rf.ts, because the map is loaded when there is one. */
import { useReactFlow, useStore } from '@xyflow/react'
import { useCallback } from 'react'
import type { Rect } from '~/doc/graph'

/** What a map of the flow shows of the view, in places of the flow, and how it moves the view. */
export function useMapView() {
  const { setViewport, getViewport, zoomTo } = useReactFlow()
  const seen = useStore(
    ({ transform: [x, y, zoom], width, height }): Rect => ({
      x: -x / zoom,
      y: -y / zoom,
      width: width / zoom,
      height: height / zoom,
    }),
    (a, b) => a.x === b.x && a.y === b.y && a.width === b.width && a.height === b.height,
  )
  return {
    seen,
    moveBy: useCallback(
      (dx: number, dy: number) => {
        const { x, y, zoom } = getViewport()
        void setViewport({ x: x - dx * zoom, y: y - dy * zoom, zoom })
      },
      [getViewport, setViewport],
    ),
    zoomBy: useCallback((factor: number) => void zoomTo(getViewport().zoom * factor), [getViewport, zoomTo]),
  }
}
