import { useDebouncedValue } from '@mantine/hooks'
import type { WidgetProps } from '@rjsf/utils'
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { queries } from '~/api/queries'
import type { Choice, Failure, Json, JsonObject, Schema } from '~/api/types'
import { infoOf } from './context'
import { holdsExpression } from './expression'

/** A choice as it is shown: those below others carry the way to them. */
export interface Entry {
  /** The value as JSON: what tells two choices apart. */
  key: string
  value: Json
  label: string
  disabled: boolean
}

export interface Offer {
  entries: readonly Entry[]
  byKey: ReadonlyMap<string, Entry>
  loading: boolean
  failure: Failure | undefined
  /** What went wrong on the way to the server. */
  error: unknown
  /** Titles of the fields that decide the choices: all, those that are empty, those that hold an expression. */
  empty: readonly string[]
  unknown: readonly string[]
  reload(): void
}

/** How long a form rests before its choices are asked for again. */
const restMs = 300

/** The key of a value. */
export function keyOf(value: Json): string {
  return JSON.stringify(value)
}

/** Every choice that can be taken, in order, with the names of what it lies below. */
export function entriesOf(choices: readonly Choice[], above = ''): Entry[] {
  return choices.flatMap((c) => {
    const label = above + c.label
    if (c.children && c.children.length > 0) return entriesOf(c.children, `${label} / `)
    return [{ key: keyOf(c.value), value: c.value, label, disabled: c.disabled === true }]
  })
}

/** The entries that a text leads to: in their label or their value, whatever the case. */
export function matching(entries: readonly Entry[], text: string): readonly Entry[] {
  const wanted = text.trim().toLowerCase()
  if (wanted === '') return entries
  return entries.filter((e) => e.label.toLowerCase().includes(wanted) || e.key.toLowerCase().includes(wanted))
}

/** The value that a typed text stands for in a field of that schema; undefined when it is none. */
export function typedValue(text: string, schema: Schema): Json | undefined {
  const trimmed = text.trim()
  if (trimmed === '') return undefined
  if (schema.type === 'integer' || schema.type === 'number') {
    const n = Number(trimmed)
    return Number.isFinite(n) && (schema.type === 'number' || Number.isInteger(n)) ? n : undefined
  }
  return schema.type === 'string' || schema.type === undefined ? trimmed : undefined
}

function isEmpty(value: Json | undefined): boolean {
  return value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)
}

/**
 * Where choices come from. A field of an action names what its own plugin finds; an input of a flow also names
 * the plugin and the action, and which inputs stand for the fields that the choices depend on.
 */
interface SourceWord {
  name: string
  dependsOn?: string[]
  plugin?: string
  action?: string
  fields?: { [field: string]: string }
}

/** Asks for the choices of a field once it is wanted, and again when what they depend on changes. */
export function useChoices(props: WidgetProps, wanted: boolean): Offer {
  const info = infoOf(props.registry)
  const source = (props.schema as Schema)['x-source'] as unknown as SourceWord
  const data = (info.data ?? {}) as JsonObject
  const fields = source.fields ?? Object.fromEntries((source.dependsOn ?? []).map((name) => [name, name]))
  const names = Object.values(fields)
  const titles = (all: readonly string[]) => {
    const fields = (props.registry.rootSchema.properties ?? {}) as { [name: string]: Schema }
    return all.map((name) => String(fields[name]?.title ?? name))
  }
  const given = names.filter((name) => !isEmpty(data[name]))
  const unknown = given.filter((name) => !info.literal.has(name) && holdsExpression(data[name] as Json))
  const now = JSON.stringify([
    Object.fromEntries(Object.entries(fields).flatMap(([f, name]) => (given.includes(name) ? [[f, data[name]]] : []))),
    names.filter((n) => info.literal.has(n)),
  ])
  const [settled] = useDebouncedValue(now, restMs)
  const [form, literal] = JSON.parse(settled) as [JsonObject, string[]]
  const asks = { project: '', plugin: '', action: '', ...info.asks }
  const plugin = source.plugin ?? asks.plugin
  const action = source.action ?? asks.action
  const query = useQuery({
    ...queries.choices(asks.project, plugin, { action, source: source.name, form, literal }),
    enabled: wanted && unknown.length === 0 && info.asks !== undefined,
    placeholderData: undefined,
  })
  const offered = query.data?.choices
  const entries = useMemo(() => entriesOf(offered ?? []), [offered])
  const byKey = useMemo(() => new Map(entries.map((e) => [e.key, e])), [entries])
  return {
    entries,
    byKey,
    loading: unknown.length === 0 && wanted && (query.isFetching || settled !== now),
    failure: query.data?.failure,
    error: query.error ?? undefined,
    empty: titles(names.filter((name) => isEmpty(data[name]))),
    unknown: titles(unknown),
    reload: () => void query.refetch(),
  }
}
