import { Skeleton } from '@mantine/core'
import { Suspense } from 'react'
import { lazy } from '~/app/lazy'
import type { SchemaFormProps } from './schema-form'

const load = () => import('./schema-form').then((m) => ({ default: m.SchemaForm }))
const Loaded = lazy(load)

/** Fetches the form's code before the first node is opened. */
export function preloadForm(): void {
  // A failed fetch is tried again, and told, when a form is shown.
  load().catch(() => undefined)
}

/** A form made from a JSON Schema; grey rows stand in until its code is here. */
export function SchemaForm(props: SchemaFormProps) {
  return (
    <Suspense fallback={<Skeleton height={96} radius="md" />}>
      <Loaded {...props} />
    </Suspense>
  )
}
