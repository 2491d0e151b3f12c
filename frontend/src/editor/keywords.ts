import type { Action, Json, Plugin, Schema } from '~/api/types'

/** The keywords of an input that have a field of their own beside those of its type. */
const words = [
  'ui:widget',
  'ui:placeholder',
  'ui:help',
  'format',
  'pattern',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'uniqueItems',
  'multipleOf',
  'x-source',
] as const

export type Word = (typeof words)[number]

/** Keywords that the panel of the variable shows itself. */
const basic: readonly string[] = ['type', 'enum', 'minimum', 'maximum', 'items']

/** The formats of texts that forms and the server know; passwords are secrets. */
export const formats = [
  'date',
  'date-time',
  'time',
  'duration',
  'email',
  'uri',
  'hostname',
  'ipv4',
  'ipv6',
  'cidr',
  'cron',
  'regex',
] as const

const widgets = {
  text: ['text', 'textarea', 'code', 'date', 'datetime', 'time', 'duration'],
  choice: ['select', 'radio'],
  number: ['number', 'slider'],
  truth: ['switch', 'radio'],
  list: ['tags', 'checkboxes', 'table', 'json'],
  object: ['keyvalue', 'json'],
} as const

export type Widget = (typeof widgets)[keyof typeof widgets][number]

/** What sort of value a schema asks for. */
export function kindOf(schema: Schema): 'text' | 'number' | 'truth' | 'list' | 'object' {
  const type = Array.isArray(schema.type) ? schema.type.find((t) => t !== 'null') : schema.type
  if (type === 'integer' || type === 'number') return 'number'
  if (type === 'boolean') return 'truth'
  if (type === 'array') return 'list'
  return type === 'object' ? 'object' : 'text'
}

/** The controls that can show such a value. */
export function widgetsFor(schema: Schema): readonly Widget[] {
  return Array.isArray(schema.enum) ? widgets.choice : widgets[kindOf(schema)]
}

/** The keywords with fields of their own that a schema uses. */
export function wordsOf(schema: Schema): Word[] {
  return words.filter((w) => schema[w] !== undefined)
}

/** A schema with another value of a keyword; undefined takes it away. */
export function withWord(schema: Schema, word: Word, value: Json | undefined): Schema {
  const { [word]: _old, ...rest } = schema
  return value === undefined ? rest : { ...rest, [word]: value }
}

/** Everything that a schema says and no field shows. */
export function othersOf(schema: Schema): Schema {
  const shown = new Set<string>([...words, ...basic])
  return Object.fromEntries(Object.entries(schema).filter(([key]) => !shown.has(key)))
}

/** A schema with other keywords in the place of those that no field shows; null where the text is no object. */
export function withOthers(schema: Schema, text: string): Schema | null {
  let others: unknown = {}
  try {
    if (text.trim() !== '') others = JSON.parse(text)
  } catch {
    return null
  }
  if (others === null || typeof others !== 'object' || Array.isArray(others)) return null
  const known = Object.entries(schema).filter(([key]) => !(key in othersOf(schema)))
  // What a field shows is said there, and once.
  const shown = new Set<string>([...words, ...basic])
  const rest = Object.entries(others as Schema).filter(([key]) => !shown.has(key))
  return Object.fromEntries([...known, ...rest])
}

/** A place in a plugin that finds choices. */
export interface Source {
  key: string
  plugin: Plugin
  action: Action
  name: string
  /** The fields of the action that the choices depend on. */
  dependsOn: readonly string[]
}

/** The sources of choices for a value of that type: each source of each action once. */
export function sourcesFor(schema: Schema, plugins: readonly Plugin[]): Source[] {
  const kind = kindOf(schema)
  if (kind === 'object' || kind === 'truth') return []
  const all = plugins.flatMap((plugin) =>
    plugin.manifest.actions
      .filter((action) => action.options)
      .flatMap((action) => sourcesOf(plugin, action).filter(({ field }) => alike(schema, field))),
  )
  return [...new Map(all.map(({ source }) => [source.key, source])).values()]
}

/** The fields of an action that name a source, with that. */
function sourcesOf(plugin: Plugin, action: Action): { field: Schema; source: Source }[] {
  return Object.values((action.inputs.properties ?? {}) as { [name: string]: Schema }).flatMap((field) => {
    const { name, dependsOn = [] } = (field['x-source'] ?? {}) as { name?: string; dependsOn?: string[] }
    if (!name) return []
    return [{ field, source: { key: `${plugin.id}/${action.id}/${name}`, plugin, action, name, dependsOn } }]
  })
}

/** Whether both are about the same sort of single values: a list is chosen from the same choices as one of it. */
function alike(a: Schema, b: Schema): boolean {
  const one = (s: Schema): Schema => (s.type === 'array' && typeof s.items === 'object' ? (s.items as Schema) : s)
  return kindOf(one(a)) === kindOf(one(b))
}
