import type { UiSchema } from '@rjsf/utils'
import type { Json, Schema } from '~/api/types'
import type { Lang } from '~/i18n/text'
import { quick } from './patterns'
import { changed, isSchema } from './words'

/** A schema as the form library wants it: texts in one language, hints apart. */
export interface FormSchema {
  schema: Schema
  ui: UiSchema
}

const cache = new WeakMap<Schema, Partial<Record<Lang, FormSchema>>>()

/** Reads the inline `ui:*` hints and translations out of an action's schema, and leaves out what the browser could not check quickly. */
export function formOf(schema: Schema, lang: Lang): FormSchema {
  const known = cache.get(schema) ?? {}
  cache.set(schema, known)
  known[lang] ??= drawn(quick(localised(schema, lang) as Schema))
  return known[lang]
}

function drawn(schema: Schema): FormSchema {
  return { schema, ui: hints(schema) }
}

/** Puts the texts of a language in place, at every depth. */
function localised(value: Json | Schema, lang: Lang): Json {
  if (Array.isArray(value)) return value.map((v) => localised(v, lang))
  if (!isSchema(value)) return value as Json
  const out = changed(value, (v) => localised(v, lang))
  const texts = isSchema(out['ui:i18n']) ? out['ui:i18n'][lang] : undefined
  if (isSchema(texts)) translate(out, texts)
  return out
}

function translate(out: { [key: string]: Json }, texts: { [key: string]: Json }): void {
  for (const key of ['title', 'description'] as const) if (typeof texts[key] === 'string') out[key] = texts[key]
  for (const key of ['placeholder', 'help'] as const) if (typeof texts[key] === 'string') out[`ui:${key}`] = texts[key]
  const names = texts.enumNames
  if (!Array.isArray(names)) return
  if (!Array.isArray(out.oneOf)) {
    out['ui:enumNames'] = names
    return
  }
  out.oneOf = out.oneOf.map((o, i) => (isSchema(o) && typeof names[i] === 'string' ? { ...o, title: names[i] } : o))
}

/** Fields that the library has no component of its own for. */
const ownFields: Record<string, string> = { keyvalue: 'KeyValueField', json: 'JsonField', table: '', tags: '' }

/** Widgets whose name in our profile differs from the library's. */
const widgetNames: Record<string, string> = {
  switch: 'checkbox',
  slider: 'updown',
  number: 'updown',
  code: 'textarea',
  markdown: 'textarea',
  member: 'text',
  host: 'text',
  ip: 'text',
  duration: 'text',
  cron: 'text',
}

function hints(schema: Schema): UiSchema {
  const ui: UiSchema = {}
  for (const [key, value] of Object.entries(schema)) {
    if (key.startsWith('ui:') && key !== 'ui:i18n' && key !== 'ui:widget') ui[key] = value
  }
  Object.assign(ui, widgetOf(schema))
  childrenHints(schema, ui)
  return ui
}

function widgetOf(schema: Schema): UiSchema {
  const widget = typeof schema['ui:widget'] === 'string' ? schema['ui:widget'] : undefined
  if (schema['x-secret'] === true || schema.format === 'password') return { 'ui:widget': 'password' }
  if (widget && ownFields[widget] !== undefined) return ownFields[widget] ? { 'ui:field': ownFields[widget] } : {}
  if (isSchema(schema['x-source']) && hasSource(schema)) return { 'ui:widget': 'source' }
  const part = isSchema(schema['x-operation']) ? schema['x-operation'].part : undefined
  if (part === 'system' || part === 'operation') return { 'ui:widget': 'source' }
  if (isFreeForm(schema)) return { 'ui:field': 'JsonField' }
  if (isKeyed(schema)) return { 'ui:field': 'KeyValueField' }
  if (schema.type === 'array') return listWidget(schema)
  if (schema.type === 'object') return {}
  return widget ? { 'ui:widget': widgetNames[widget] ?? widget } : {}
}

/** Whether a source can give the value of a field: one value, or a list of such. */
function hasSource(schema: Schema): boolean {
  const one = schema.type === 'array' && isSchema(schema.items) ? schema.items : schema
  return one.type !== 'object' && one.type !== 'array'
}

/** Lists of texts are written as tags, lists of choices picked; others get a row an entry. */
function listWidget(schema: Schema): UiSchema {
  const items = isSchema(schema.items) ? (schema.items as Schema) : undefined
  if (items?.enum || items?.oneOf) return { 'ui:widget': 'choices' }
  return items?.type === 'string' ? { 'ui:widget': 'tags' } : {}
}

/** Values of any type, and objects and arrays without a shape, are written as JSON. */
function isFreeForm(schema: Schema): boolean {
  const composed = schema.oneOf ?? schema.anyOf ?? schema.allOf ?? schema.enum ?? schema.$ref
  if (schema.type === undefined)
    return composed === undefined && schema.properties === undefined && schema.const === undefined
  if (Array.isArray(schema.type)) return schema.type.filter((t) => t !== 'null').length > 1
  if (schema.type === 'array') return schema.items === undefined || schema.items === true || isTuple(schema)
  return schema.type === 'object' && !isSchema(schema.properties) && !isKeyed(schema) && composed === undefined
}

function isTuple(schema: Schema): boolean {
  return Array.isArray(schema.prefixItems)
}

/** Objects whose names are free and whose values have one simple type. */
function isKeyed(schema: Schema): boolean {
  const rest = schema.additionalProperties
  return (
    schema.type === 'object' &&
    !isSchema(schema.properties) &&
    isSchema(rest) &&
    rest.type !== 'object' &&
    rest.type !== 'array'
  )
}

function childrenHints(schema: Schema, ui: UiSchema): void {
  for (const part of [schema, ...branchesOf(schema)]) {
    if (!isSchema(part.properties)) continue
    for (const [name, child] of Object.entries(part.properties)) {
      if (isSchema(child)) ui[name] = { ...hints(child), ...(ui[name] as UiSchema | undefined) }
    }
  }
  if (isSchema(schema.items)) ui.items = hints(schema.items)
}

/** The schemas that add fields under a condition. */
function branchesOf(schema: Schema): Schema[] {
  const all = Array.isArray(schema.allOf) ? schema.allOf : []
  const direct = [schema.then, schema.else, ...all].filter((s) => isSchema(s as Json)) as Schema[]
  return direct.flatMap((s) => [s, ...branchesOf(s)])
}
