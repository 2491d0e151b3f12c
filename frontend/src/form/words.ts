import type { Json, Schema } from '~/api/types'

/** Words of a schema whose value is data, and no schema. */
const dataWords = new Set(['default', 'const', 'enum', 'examples', 'required'])

/** Words whose value holds schemas by names of the author's choice, which may be words themselves. */
const namedWords = new Set(['properties', 'patternProperties', 'dependentSchemas', '$defs', 'definitions'])

export function isSchema(v: Json | Schema | undefined): v is Schema & { [key: string]: Json } {
  return v !== null && typeof v === 'object' && !Array.isArray(v)
}

/** A copy of a schema in which everything was changed that may hold schemas; data stays as it is. */
export function changed(schema: Schema, change: (part: Json) => Json): { [key: string]: Json } {
  const part = ([key, v]: [string, Json]): [string, Json] => {
    if (dataWords.has(key)) return [key, v]
    if (!namedWords.has(key) || !isSchema(v)) return [key, change(v)]
    return [key, Object.fromEntries(Object.entries(v).map(([name, s]) => [name, change(s)]))]
  }
  return Object.fromEntries(Object.entries(schema as { [key: string]: Json }).map(part))
}
