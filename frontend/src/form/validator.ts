import { type Schema as CfSchema, type OutputUnit, validate } from '@cfworker/json-schema'
import type { ValidatorType } from '@rjsf/utils'
import type { Json, Schema } from '~/api/types'
import { choiceMark, relax, wrapMark } from './relax'

/** One thing wrong with a value: where, and which rule says so. */
export interface Violation {
  /** The names and indexes that lead to the value. */
  path: string[]
  keyword: string
  /** What the rule asks for, where it is one number or text. */
  limit: string | number | undefined
}

/** Keywords that only say that something below them is wrong. */
const passing = new Set([
  'properties',
  'items',
  'prefixItems',
  'additionalProperties',
  'allOf',
  'if',
  'then',
  'else',
  '$ref',
  'dependentSchemas',
  'patternProperties',
])

/** Unions: what their branches say is noise, they themselves are the message. */
const unions = new Set(['anyOf', 'oneOf'])

/**
 * Checks a value against a schema of formOf() without evaluating code, so that the page can
 * forbid that altogether. At most one violation a place is answered. A schema that cannot be
 * checked here, as one that refers to itself without end, is left to the server.
 */
export function check(
  schema: Schema,
  value: unknown,
  expressions: boolean,
  literal: readonly string[] = [],
): Violation[] {
  const asked = expressions ? relax(schema, literal) : schema
  const { errors } = held(value, asked as CfSchema, false)
  const found = new Map<string, Violation>()
  for (const error of errors) {
    const place = locate(asked, error.keywordLocation)
    if (place.silent || passing.has(error.keyword)) continue
    const violation = violationOf(error, place.schema)
    const key = violation.path.join('/')
    if (!found.has(key)) found.set(key, violation)
  }
  return [...found.values()]
}

function held(value: unknown, schema: CfSchema, first: boolean): { valid: boolean; errors: OutputUnit[] } {
  try {
    return validate(value, schema, '2020-12', undefined, first)
  } catch {
    return { valid: true, errors: [] }
  }
}

function violationOf(error: OutputUnit, schema: Schema | undefined): Violation {
  const path = pointer(error.instanceLocation)
  if (error.keyword === 'required' || error.keyword === 'dependentRequired') {
    const name = error.error.match(/property "(.*?)"/)?.[1]
    return { path: name === undefined ? path : [...path, name], keyword: 'required', limit: undefined }
  }
  const limit = schema?.[error.keyword]
  const keyword = error.keyword === 'anyOf' && schema?.[choiceMark] ? 'oneOf' : error.keyword
  return {
    path,
    keyword,
    limit: typeof limit === 'number' || typeof limit === 'string' ? limit : undefined,
  }
}

function pointer(location: string): string[] {
  return location
    .replace(/^#\/?/, '')
    .split('/')
    .filter((s) => s !== '')
    .map((s) => decodeURIComponent(s).replaceAll('~1', '/').replaceAll('~0', '~'))
}

interface Place {
  /** The schema that holds the keyword. */
  schema: Schema | undefined
  /** Whether the message comes from inside a union, or from one that relax() made. */
  silent: boolean
}

/** Follows a keyword's location through the schema. */
function locate(root: Schema, location: string): Place {
  const steps = pointer(location)
  let at: Json | Schema | undefined = root
  for (let i = 0; i < steps.length - 1; i++) {
    const step = steps[i] as string
    const here = at as Schema | undefined
    if (here && unions.has(step)) {
      const literal = here[wrapMark] === true && steps[i + 1] === '0'
      if (!literal) return { schema: undefined, silent: true }
    }
    at =
      step === '$ref'
        ? target(root, here?.$ref)
        : ((at as Record<string, Json> | undefined)?.[step] as Json | undefined)
  }
  const schema = at as Schema | undefined
  const last = steps.at(-1)
  return { schema, silent: schema?.[wrapMark] === true && last === 'anyOf' }
}

function target(root: Schema, ref: Json | undefined): Json | undefined {
  let at: Json | undefined = root as Json
  for (const step of pointer(String(ref ?? ''))) at = (at as Record<string, Json> | undefined)?.[step]
  return at
}

/** A value without properties that are undefined: the library leaves these behind where a field was emptied. */
export function present(value: Json | undefined): Json | undefined {
  if (Array.isArray(value)) return value.map((v) => present(v) ?? null)
  if (value === null || typeof value !== 'object') return value
  const kept = Object.entries(value).filter(([, v]) => v !== undefined)
  return Object.fromEntries(kept.map(([key, v]) => [key, present(v) as Json]))
}

/**
 * What the form library asks while it renders: which branch of a schema a value
 * belongs to. That is decided by the literal schema. The messages of a form come
 * from check().
 */
export const branches: ValidatorType = {
  isValid(schema, data, rootSchema) {
    const withDefs = { ...(schema as object), $defs: (rootSchema as Schema | undefined)?.$defs } as CfSchema
    const value = present(data as Json | undefined)
    return value !== undefined && held(value, withDefs, true).valid
  },
  validateFormData: () => ({ errors: [], errorSchema: {} }),
  rawValidation: () => ({}),
}
