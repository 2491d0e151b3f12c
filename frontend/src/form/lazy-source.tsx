import { Skeleton } from '@mantine/core'
import type { WidgetProps } from '@rjsf/utils'
import { Suspense } from 'react'
import { lazy } from '~/app/lazy'

const One = lazy(() => import('./source').then((m) => ({ default: m.SourceOne })))
const Many = lazy(() => import('./source').then((m) => ({ default: m.SourceMany })))

const Operation = lazy(() => import('./operation-choice').then((m) => ({ default: m.OperationChoice })))

/** A field with choices from a source; few forms have one, so its code comes when one is shown. */
export function SourceField(props: WidgetProps) {
  const Field = 'x-operation' in props.schema ? Operation : props.schema.type === 'array' ? Many : One
  return (
    <Suspense fallback={<Skeleton height={30} radius="sm" />}>
      <Field {...props} />
    </Suspense>
  )
}
