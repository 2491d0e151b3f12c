import type { Json, JsonObject, Schema } from '~/api/types'
import { changed, isSchema } from './words'

/** The part of a call of an operation that a field stands for: the keyword `x-operation`. */
export interface OperationWord {
  part: 'system' | 'operation' | 'params' | 'body'
  /** The fields at the top of the form that choose. */
  system?: string
  operation?: string
  /** Texts that the plugin replaces before it calls. */
  placeholders?: string[]
}

/** What an operation takes, as the server answers it. */
export interface OperationForm {
  /** An object with the properties params and body. */
  form: Schema
  parameters: readonly { name: string; doc?: string | { en?: string; zh?: string }; required?: boolean }[] | null
}

type Properties = { [name: string]: Schema }

function propertiesOf(schema: Schema): Properties {
  return isSchema(schema.properties) ? (schema.properties as unknown as Properties) : {}
}

/** What a field says of its part in a call; undefined for all other fields. */
export function wordOf(field: Schema | undefined): OperationWord | undefined {
  const word = field?.['x-operation']
  return isSchema(word) ? (word as unknown as OperationWord) : undefined
}

/** Whether a form holds fields whose schema is that of an operation which others choose. */
export function hasOperation(schema: Schema): boolean {
  return Object.values(propertiesOf(schema)).some((f) => wordOf(f)?.operation !== undefined)
}

/** What the fields of a form choose; undefined while one of them is empty or an expression. */
export function chosen(schema: Schema, value: JsonObject): { system: string; operation: string } | undefined {
  const word = Object.values(propertiesOf(schema))
    .map(wordOf)
    .find((w) => w?.operation !== undefined)
  const text = (name: string | undefined) => {
    const v = name === undefined ? undefined : value[name]
    return typeof v === 'string' && v !== '' && !v.includes('${') ? v : undefined
  }
  const [system, operation] = [text(word?.system), text(word?.operation)]
  return system && operation ? { system, operation } : undefined
}

/**
 * The form of an action with that of the chosen operation in it. A part that the operation
 * does not take is left out: a value that is there all the same is shown as one too many.
 */
export function withOperation(schema: Schema, op: OperationForm): Schema {
  const parts = propertiesOf(op.form)
  const needed = Array.isArray(op.form.required) ? op.form.required : []
  const required = new Set(Array.isArray(schema.required) ? schema.required : [])
  const fields = Object.entries(propertiesOf(schema)).flatMap(([name, field]) => {
    const part = wordOf(field)?.part
    if (part !== 'params' && part !== 'body') return [[name, field] as const]
    const own = parts[part]
    if (own === undefined) return []
    if (needed.includes(part)) required.add(name)
    return [[name, { ...drawn(own, part, op), ...texts(field) }] as const]
  })
  return { ...schema, properties: Object.fromEntries(fields) as unknown as Json, required: [...required] as Json }
}

/** What stays of the field: how it is called. */
function texts(field: Schema): Schema {
  const kept = Object.entries(field).filter(([k]) => k === 'title' || k === 'ui:i18n')
  return Object.fromEntries(kept) as Schema
}

function drawn(own: Schema, part: 'params' | 'body', op: OperationForm): Schema {
  const whole = inlined(own, op.form)
  if (part === 'params') return described(whole, op.parameters ?? [])
  const shaped = isSchema(whole.properties) || whole.type === 'array'
  return shaped ? whole : { ...whole, 'ui:widget': 'json' }
}

/** Parameters with their descriptions in both languages, the required ones first, the others behind a fold where they are many. */
function described(form: Schema, parameters: NonNullable<OperationForm['parameters']>): Schema {
  const properties = propertiesOf(form)
  const sorted = parameters.toSorted((a, b) => Number(b.required ?? false) - Number(a.required ?? false))
  const fold = sorted.length > foldFrom && sorted.some((p) => p.required)
  const fields = sorted.flatMap((p) => {
    const own = properties[p.name]
    if (!own) return []
    const both =
      typeof p.doc === 'object' ? { zh: { description: p.doc.zh }, en: { description: p.doc.en } } : undefined
    const extra = { ...(both ? { 'ui:i18n': both } : {}), ...(fold && !p.required ? { 'ui:advanced': true } : {}) }
    return [[p.name, { title: p.name, ...own, ...extra }] as const]
  })
  return { ...form, properties: Object.fromEntries(fields) as unknown as Json }
}

/** From how many parameters on those that are not needed are folded. */
const foldFrom = 8

/** How deep references are followed, and how many schemas are drawn; what lies behind is written as JSON. */
const inlineDepth = 8
const inlineMax = 1500

/**
 * A schema with what it refers to in place, so that hints reach every field. One that
 * contains itself ends in a field for any JSON; the server checks it to the end.
 */
export function inlined(schema: Schema, root: Schema): Schema {
  const defs = isSchema(root.$defs) ? (root.$defs as unknown as Properties) : {}
  let left = inlineMax
  const visit = (v: Json | Schema, open: readonly string[]): Json => {
    if (Array.isArray(v)) return v.map((x) => visit(x, open))
    if (!isSchema(v)) return v as Json
    left -= 1
    const name = typeof v.$ref === 'string' ? v.$ref.replace(/^#\/\$defs\//, '') : undefined
    if (name !== undefined) {
      const target = defs[name.replaceAll('~1', '/').replaceAll('~0', '~')]
      const { $ref: _ref, ...rest } = v
      if (!target || open.includes(name) || open.length >= inlineDepth || left <= 0) return rest as Json
      return visit({ ...target, ...rest }, [...open, name])
    }
    const { $defs: _defs, ...own } = v
    return joined(changed(own, (x) => visit(x, open))) as Json
  }
  return visit(schema, []) as unknown as Schema
}

/** Words of an object that can be put together with those of another. */
const joinable = new Set(['type', 'properties', 'required', 'title', 'description', 'additionalProperties', 'example'])

/** An object that is said in several parts, as one, where that is plain. */
function joined(schema: Schema): Schema {
  const parts = Array.isArray(schema.allOf) ? schema.allOf : []
  const plain = parts.every((p) => isSchema(p) && Object.keys(p).every((k) => joinable.has(k)) && p.type !== 'array')
  if (parts.length === 0 || !plain) return schema
  const { allOf: _all, ...own } = schema
  if (parts.length > 1 && parts.some((p) => (p as Schema).type !== undefined && (p as Schema).type !== 'object'))
    return schema
  const all = [...(parts as unknown as Schema[]), own as Schema]
  const required = [...new Set(all.flatMap((p) => (Array.isArray(p.required) ? p.required : [])))]
  const properties = Object.assign({}, ...all.map(propertiesOf))
  return {
    ...Object.assign({}, ...all),
    ...(Object.keys(properties).length > 0 ? { properties } : {}),
    ...(required.length > 0 ? { required } : {}),
  } as Schema
}

/** Whether a value cannot be shown by the field of its schema: it would look empty. */
export function misfits(schema: Schema, value: Json | undefined): boolean {
  if (value === undefined || value === null) return false
  const named = Array.isArray(schema.oneOf) ? (schema.oneOf as Schema[]) : undefined
  if (named?.every((o) => isSchema(o) && o.const !== undefined) && schema['ui:widget'] !== 'tags')
    return !named.some((o) => same(o.const as Json, value))
  if (Array.isArray(schema.enum)) return !schema.enum.some((x) => same(x, value))
  switch (schema.type) {
    case 'object':
      return typeof value !== 'object' || Array.isArray(value)
    case 'array':
      return !Array.isArray(value)
    case 'string':
      return typeof value === 'object'
    case 'integer':
    case 'number':
      return typeof value !== 'number'
    case 'boolean':
      return typeof value !== 'boolean'
    default:
      return false
  }
}

function same(a: Json, b: Json): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

/** The names in an object that its form has no field for, and whether the schema forbids them. */
export function leftOver(schema: Schema, value: Json | undefined): { names: string[]; forbidden: boolean } {
  const none = { names: [], forbidden: false }
  if (!isSchema(schema.properties) || !isSchema(value)) return none
  const rest = schema.additionalProperties
  // Names that are free have rows of their own.
  if (rest !== undefined && rest !== false) return none
  const known = propertiesOf(schema)
  const names = Object.keys(value).filter((name) => value[name] !== undefined && !(name in known))
  return { names, forbidden: rest === false }
}

/** The name and value of a text that the plugin fills in, for the hint below the form. */
export function placeholdersOf(schema: Schema): string[] {
  return [...new Set(Object.values(propertiesOf(schema)).flatMap((f) => wordOf(f)?.placeholders ?? []))]
}

/** Whether a value at a place holds a text that the plugin replaces, so that it is not checked. */
export function isHeld(value: Json | undefined, path: readonly string[], placeholders: readonly string[]): boolean {
  let at: Json | undefined = value
  for (const step of path) {
    if (at === null || typeof at !== 'object') return false
    at = Array.isArray(at) ? at[Number(step)] : at[step]
  }
  return typeof at === 'string' && placeholders.some((p) => (at as string).includes(p))
}
