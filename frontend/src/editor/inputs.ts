import type { JsonObject, Schema, Text, Variable } from '~/api/types'

/** What the inputs of a flow are before anybody has filled them in. */
export function defaultInputs(inputs: readonly Variable[]): JsonObject {
  return Object.fromEntries(
    inputs.filter((v) => v.value !== undefined && !v.secret).map((v) => [v.name, v.value ?? null]),
  )
}

/** One object schema from the schemas of the inputs. */
export function inputsSchema(inputs: readonly Variable[], text: (t: Text | undefined) => string): Schema {
  const properties = Object.fromEntries(
    inputs.map((v) => [
      v.name,
      {
        ...(v.schema ?? { type: 'string' }),
        title: text(v.title) || v.name,
        ...(v.doc ? { description: text(v.doc) } : {}),
        ...(v.secret ? { 'ui:widget': 'password' } : {}),
      },
    ]),
  )
  const required = inputs.filter((v) => v.required && v.value === undefined).map((v) => v.name)
  return { type: 'object', properties, required } as Schema
}
