import type { Json, Schema } from '~/api/types'
import { isSchema } from './words'

/**
 * While a flow is drawn, any field may hold `${expression}` in place of its
 * value. relax() turns an action's schema into the one that such inputs must be
 * valid against; what the expressions give is checked at run time against the
 * schema as it is. The server does the same: one file of test vectors,
 * schemas/testdata/relax.json, holds for both.
 */

/** A string that is one expression and nothing else: it stands for any type. */
const whole: Schema = { type: 'string', pattern: '^\\$\\{[\\s\\S]+\\}$' }

/** A string with an expression in it; `$${` is an escaped `${`. */
const embedded: Schema = { type: 'string', pattern: '(^|[^$])\\$\\{' }

/** Marks the unions that relax() adds, so that messages can leave them out. */
export const wrapMark = 'x-relaxed'

const maps = ['properties', 'patternProperties', '$defs', 'definitions'] as const
const singles = ['items', 'additionalProperties', 'contains'] as const
const lists = ['allOf', 'anyOf', 'oneOf'] as const

/** Says which word of the schema a union of relax() stands for. */
export const choiceMark = 'x-choice'

const cache = new WeakMap<Schema, Map<string, Schema>>()

/**
 * The schema of values in which expressions are allowed. The inputs named in
 * literal are those whose `${...}` is plain text: their schema stays.
 */
export function relax(schema: Schema, literal: readonly string[] = []): Schema {
  const key = literal.join()
  const known = cache.get(schema) ?? new Map<string, Schema>()
  cache.set(schema, known)
  const relaxed = known.get(key) ?? withLiteral(inside(schema), schema, literal)
  known.set(key, relaxed)
  return relaxed
}

function withLiteral(relaxed: Schema, schema: Schema, literal: readonly string[]): Schema {
  const before = schema.properties
  const after = relaxed.properties
  if (literal.length === 0 || !isSchema(before) || !isSchema(after)) return relaxed
  const kept = Object.entries(before).filter(([name]) => literal.includes(name))
  return { ...relaxed, properties: { ...after, ...Object.fromEntries(kept) } }
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
  if (Array.isArray(out.oneOf)) exclusive(out)
  const dependent = schema.dependentSchemas
  if (isSchema(dependent)) {
    out.dependentSchemas = Object.fromEntries(
      Object.entries(dependent).map(([k, s]) => [k, isSchema(s) ? (inside(s) as Json) : s]),
    )
  }
  return isSchema(schema.if) ? branches(schema, out) : out
}

/** An expression may satisfy several branches, so that one of them must hold becomes at least one. */
export function exclusive(out: Schema): void {
  const { oneOf, anyOf } = out
  delete out.oneOf
  out[choiceMark] = 'oneOf'
  if (anyOf !== undefined) out.allOf = [...(Array.isArray(out.allOf) ? out.allOf : []), { anyOf }]
  out.anyOf = oneOf
}

/** Allows an expression in place of the values of a schema. */
function wrap(value: Json): Json {
  if (!isSchema(value) || typeof value.$ref === 'string') return value
  if (value['x-expression'] === 'forbidden') return forbid(value)
  if (value['x-expression'] === 'required') return whole as Json
  const expression = holdsStrings(value) ? embedded : whole
  return { [wrapMark]: true, anyOf: [inside(value) as Json, expression as Json] }
}

/** Where no expression may stand, a text that holds one is wrong. */
function forbid(value: Schema & { [key: string]: Json }): Json {
  return value.not === undefined ? { ...value, not: embedded as Json } : { allOf: [value, { not: embedded as Json }] }
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
  // biome-ignore-start lint/suspicious/noThenProperty: a word of JSON Schema
  if (isSchema(then)) clauses.push({ if: { allOf: [condition as Json, ...never] }, then: inside(then) as Json })
  if (isSchema(otherwise)) {
    clauses.push({ if: { anyOf: [condition as Json, ...undecided] }, then: true, else: inside(otherwise) as Json })
  }
  // biome-ignore-end lint/suspicious/noThenProperty: a word of JSON Schema
  return { ...rest, allOf: clauses }
}

/** The properties that a condition looks at. */
function propertiesOf(schema: Schema): string[] {
  const own = isSchema(schema.properties) ? Object.keys(schema.properties) : []
  const nested = lists.flatMap((key) => (Array.isArray(schema[key]) ? schema[key] : []))
  const negated = isSchema(schema.not) ? [schema.not] : []
  return [...own, ...[...nested, ...negated].flatMap((s) => (isSchema(s) ? propertiesOf(s) : []))]
}
