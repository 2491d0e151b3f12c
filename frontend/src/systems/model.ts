import type { Json, JsonObject, Plugin, Schema } from '~/api/types'
import { covers, same } from '~/catalogue/entries'
import type { Operation, OperationDetail, OperationGroup, Parameter, System } from './types'

/** Whether one of some texts has what is looked for, without case. */
export function has(wanted: string, ...texts: (string | undefined)[]): boolean {
  const q = wanted.trim().toLowerCase()
  return q === '' || texts.some((s) => s?.toLowerCase().includes(q))
}

/** A path in its parts, so that parameters can be shown apart: "/a/{id}" → "/a/", "{id}". */
export function pathParts(path: string): { text: string; parameter: boolean }[] {
  return path
    .split(/(\{[^}]*\})/)
    .filter((s) => s !== '')
    .map((text) => ({ text, parameter: text.startsWith('{') }))
}

/** A part of what a call takes, as a schema that stands alone: what it refers to comes along. */
export function formPart(op: OperationDetail, part: 'params' | 'body'): Schema | undefined {
  const properties = op.form.properties as { [name: string]: Schema } | undefined
  const own = properties?.[part]
  if (!own) return undefined
  const shared = op.form.$defs
  const whole: Schema = shared === undefined ? { ...own } : { $defs: shared, ...own }
  return part === 'params' ? withTexts(whole, op.parameters ?? []) : whole
}

/** Puts the descriptions of parameters into their form in both languages, the required ones first. */
function withTexts(form: Schema, parameters: readonly Parameter[]): Schema {
  const properties = (form.properties ?? {}) as { [name: string]: Schema }
  const sorted = parameters.toSorted((a, b) => Number(b.required ?? false) - Number(a.required ?? false))
  const fields = sorted.flatMap((p) => {
    const own = properties[p.name]
    if (!own) return []
    const texts =
      typeof p.doc === 'object' ? { zh: { description: p.doc.zh }, en: { description: p.doc.en } } : undefined
    return [[p.name, { title: p.name, ...own, ...(texts ? { 'ui:i18n': texts } : {}) }] as const]
  })
  return { ...form, properties: Object.fromEntries(fields) as unknown as Json }
}

/** The schema that a reference inside a schema stands for. */
export function resolved(schema: Schema, root: Schema): Schema {
  let at = schema
  // A chain of references is followed a few steps: a circle must end.
  for (let i = 0; i < 8; i++) {
    if (typeof at.$ref !== 'string' || !at.$ref.startsWith('#/')) return at
    const found = at.$ref
      .slice(2)
      .split('/')
      .reduce<Json | undefined>((v, key) => {
        const name = key.replaceAll('~1', '/').replaceAll('~0', '~')
        return v !== null && typeof v === 'object' && !Array.isArray(v) ? v[name] : undefined
      }, root as Json)
    if (found === null || typeof found !== 'object' || Array.isArray(found)) return at
    at = found as Schema
  }
  return at
}

/** Whether a form can be drawn for a body; other bodies are written as JSON. */
export function hasForm(body: Schema | undefined): boolean {
  if (!body) return false
  const { properties } = resolved(body, body)
  return typeof properties === 'object' && properties !== null && Object.keys(properties).length > 0
}

/** How many of a system's operations a plugin may call, and asks for. */
export function shareOf(plugin: Plugin, system: System): { asked: Operation[]; granted: Operation[]; any: boolean } {
  const operations = system.operations ?? []
  const needs = plugin.manifest.needs ?? []
  const of = (o: Operation) => ({ system: system.id, operation: o.id })
  return {
    asked: operations.filter((o) => needs.some((n) => covers(n, of(o)))),
    granted: operations.filter((o) => (plugin.grants ?? []).some((g) => same(g, of(o)))),
    any: needs.some((n) => (n.system === '*' || n.system === system.id) && n.operation === '*'),
  }
}

/** A name that a secret may have: what the server takes. */

export const secretPattern = /^[A-Za-z][A-Za-z0-9_]{0,63}$/

/** Operations by their group, in the order of the groups; groups without one are left out. */
export function grouped(
  groups: readonly OperationGroup[],
  operations: readonly Operation[],
): { group: OperationGroup; operations: Operation[] }[] {
  const by = new Map<string, Operation[]>()
  for (const o of operations) by.set(o.group ?? '', [...(by.get(o.group ?? '') ?? []), o])
  return groups.flatMap((group) => {
    const own = by.get(group.name)
    return own ? [{ group, operations: own }] : []
  })
}

/** Whether an operation is among those that are shown. */
export function passes(o: Operation, show: string | undefined): boolean {
  if (show === 'enabled') return o.enabled
  if (show === 'disabled') return !o.enabled
  return show === 'changed' ? !o.enabled && o.disabled_by === 'change' : true
}

/** Whether a value is an object with members. */
export function isObject(v: Json | undefined): v is JsonObject {
  return v !== null && typeof v === 'object' && !Array.isArray(v)
}
