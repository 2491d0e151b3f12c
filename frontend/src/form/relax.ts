import type { Json, Schema } from '~/api/types'

/**
 * While a flow is drawn, any field may hold `${expression}` in place of its
 * value. relax() turns an action's schema into the one that such inputs must be
 * valid against; what the expressions give is checked at run time against the
 * schema as it is. The server does the same: one file of test vectors,
 * schemas/testdata/relax.json, holds for both.
 */

/** A string that is one expression and nothing else: it stands for any type. */
export const whole: Schema = { type: 'string', pattern: '^\\$\\{[\\s\\S]+\\}$' }

/** A string with an expression in it; `$${` is an escaped `${`. */
const embedded: Schema = { type: 'string', pattern: '(^|[^$])\\$\\{' }

/** Marks the unions that relax() adds, so that messages can leave them out. */
export const wrapMark = 'x-relaxed'

const maps = ['properties', 'patternProperties', '$defs', 'definitions'] as const
const singles = ['items', 'additionalProperties', 'contains'] as const
const lists = ['allOf', 'anyOf', 'oneOf'] as const

const cache = new WeakMap<Schema, Schema>()

/** The schema of values in which expressions are allowed. */
export function relax(schema: Schema): Schema {
  const known = cache.get(schema)
  if (known) return known
  const relaxed = inside(schema)
  cache.set(schema, relaxed)
  return relaxed
}

function isSchema(value: Json | undefined): value is Schema & { [key: string]: Json } {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

/** Relaxes what a schema is made of, and not the schema itself. */
function inside(schema: Schema): Schema {
  const out: Schema = { ...schema }
  for (const key of maps) {
    const map = schema[key]
    if (isSchema(map)) out[key] = Object.fromEntries(Object.entries(map).map(([name, s]) => [name, wrap(s)]))
  }
  for (const key of singles) if (isSchema(schema[key])) out[key] = wrap(schema[key])
  if (Array.isArray(schema.prefixItems)) out.prefixItems = schema.prefixItems.map(wrap)
  for (const key of lists) {
    const list = schema[key]
    if (Array.isArray(list)) out[key] = list.map((s) => (isSchema(s) ? (inside(s) as Json) : s))
  }
  const dependent = schema.dependentSchemas
  if (isSchema(dependent)) {
    out.dependentSchemas = Object.fromEntries(
      Object.entries(dependent).map(([k, s]) => [k, isSchema(s) ? (inside(s) as Json) : s]),
    )
  }
  return isSchema(schema.if) ? branches(schema, out) : out
}

/** Allows an expression in place of the values of a schema. */
function wrap(value: Json): Json {
  if (!isSchema(value) || typeof value.$ref === 'string') return value
  if (value['x-expression'] === 'forbidden') return value
  if (value['x-expression'] === 'required') return whole as Json
  const expression = holdsStrings(value) ? embedded : whole
  return { [wrapMark]: true, anyOf: [inside(value) as Json, expression as Json] }
}

function holdsStrings(schema: Schema): boolean {
  return schema.type === 'string' || (Array.isArray(schema.type) && schema.type.includes('string'))
}

/**
 * A condition on a value that is an expression cannot be decided yet, so neither
 * branch is asked for. The condition itself stays literal.
 */
function branches(schema: Schema, out: Schema): Schema {
  const condition = schema.if as Schema
  const touched = propertiesOf(condition)
  const undecided: Json[] = touched.map((name) => ({ properties: { [name]: embedded as Json }, required: [name] }))
  const { if: _if, then, else: otherwise, ...rest } = out
  const clauses: Json[] = Array.isArray(rest.allOf) ? [...rest.allOf] : []
  const never: Json[] = undecided.length > 0 ? [{ not: { anyOf: undecided } }] : []
  if (isSchema(then)) clauses.push({ if: { allOf: [condition as Json, ...never] }, then: inside(then) as Json })
  if (isSchema(otherwise)) {
    clauses.push({ if: { anyOf: [condition as Json, ...undecided] }, then: true, else: inside(otherwise) as Json })
  }
  return { ...rest, allOf: clauses }
}

/** The properties that a condition looks at. */
function propertiesOf(schema: Schema): string[] {
  const own = isSchema(schema.properties) ? Object.keys(schema.properties) : []
  const nested = lists.flatMap((key) => (Array.isArray(schema[key]) ? schema[key] : []))
  const negated = isSchema(schema.not) ? [schema.not] : []
  return [...own, ...[...nested, ...negated].flatMap((s) => (isSchema(s) ? propertiesOf(s) : []))]
}
