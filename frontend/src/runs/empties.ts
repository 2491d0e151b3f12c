import type { JsonObject, Schema } from '~/api/types'

/**
 * The maps that a schema asks for, each without entries: a form cannot tell an empty one from one that was left out.
 * A list stays asked for: it often is what the node was run for, and nobody should leave it empty by oversight.
 */
export function emptiesOf(schema: Schema | undefined): JsonObject {
  const asked = Array.isArray(schema?.required) ? schema.required : []
  const fields = Object.entries((schema?.properties ?? {}) as { [name: string]: Schema })
  return Object.fromEntries(
    fields.filter(([name, field]) => asked.includes(name) && isMap(field)).map(([n]) => [n, {}]),
  )
}

function isMap({ type, properties, required, minProperties }: Schema): boolean {
  return type === 'object' && !properties && !required && !minProperties
}
