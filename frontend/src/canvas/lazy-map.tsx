import { Suspense } from 'react'
import type { FlowNode } from '~/api/types'
import { lazy } from '~/app/lazy'

const Loaded = lazy(() => import('./map').then((m) => ({ default: m.FlowMap })))

/** The map of a flow: loaded with the first drawing that has one. */
export function FlowMap({ nodes }: { nodes: readonly FlowNode[] }) {
  return (
    <Suspense fallback={null}>
      <Loaded nodes={nodes} />
    </Suspense>
  )
}
