import { Skeleton } from '@mantine/core'
import { Suspense, useState } from 'react'
import { lazy } from '~/app/lazy'
import type { SchemaFormProps } from './schema-form'

/** The form, once its code is here. */
let here: typeof import('./schema-form').SchemaForm | undefined

/** Fetches the code of the form, for what is to be shown together with one: then nothing below it moves. */
export async function loadForm(): Promise<NonNullable<typeof here>> {
  here ??= (await import('./schema-form')).SchemaForm
  return here
}

const Loaded = lazy(async () => ({ default: await loadForm() }))

/** Fetches the form's code before the first node is opened. */
export function preloadForm(): void {
  // A failed fetch is tried again, and told, when a form is shown.
  loadForm().catch(() => undefined)
}

/** A form made from a JSON Schema; grey rows stand in until its code is here. */
export function SchemaForm(props: SchemaFormProps) {
  const [Form] = useState(() => here ?? Loaded) // as long as this form is shown: another one would begin anew
  return (
    <Suspense fallback={<Skeleton height={96} radius="md" />}>
      <Form {...props} />
    </Suspense>
  )
}
