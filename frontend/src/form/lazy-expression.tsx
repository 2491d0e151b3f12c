import { TextInput } from '@mantine/core'
import { lazy, Suspense } from 'react'
import type { ExpressionInputProps } from './expression-input'

const Loaded = lazy(() => import('./expression-input').then((m) => ({ default: m.ExpressionInput })))

/** The expression editor; a plain field stands in while its code is on the way. */
export function Expression(props: ExpressionInputProps) {
  return (
    <Suspense fallback={<TextInput aria-label={props.label} value={props.value} readOnly />}>
      <Loaded {...props} />
    </Suspense>
  )
}
