import { Skeleton } from '@mantine/core'
import { type ComponentProps, lazy, Suspense } from 'react'

// These open behind a tab or for one type of node: the canvas does not wait for them.
const LoadedOptions = lazy(() => import('./options-panel').then((m) => ({ default: m.NodeOptions })))
const LoadedSubflow = lazy(() => import('./subflow-panel').then((m) => ({ default: m.SubflowFields })))

export function NodeOptions(props: ComponentProps<typeof LoadedOptions>) {
  return (
    <Suspense fallback={<Skeleton height={96} radius="md" />}>
      <LoadedOptions {...props} />
    </Suspense>
  )
}

export function SubflowFields(props: ComponentProps<typeof LoadedSubflow>) {
  return (
    <Suspense fallback={<Skeleton height={96} radius="md" />}>
      <LoadedSubflow {...props} />
    </Suspense>
  )
}
