import type { Json, Plugin, Schema } from '~/api/types'
import { covers, same } from '~/catalogue/entries'
import type { Operation, System } from './types'

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

/** The form of an operation's parameters: one field each, the required ones first. */
export function parametersForm(op: Operation): Schema | undefined {
  const all = op.parameters ?? []
  if (all.length === 0) return undefined
  const sorted = all.toSorted((a, b) => Number(b.required ?? false) - Number(a.required ?? false))
  const properties = sorted.map((p) => {
    const about = typeof p.doc === 'object' ? p.doc : { en: p.doc ?? '', zh: p.doc ?? '' }
    const own: Schema = { type: 'string', title: p.name, ...p.schema }
    if (about.en) own.description = about.en
    if (about.zh) own['ui:i18n'] = { zh: { description: about.zh }, en: { description: about.en } }
    if (p.secret) own['ui:widget'] = 'password'
    return [p.name, own] as const
  })
  return {
    type: 'object',
    properties: Object.fromEntries(properties) as { [name: string]: Json },
    required: sorted.filter((p) => p.required).map((p) => p.name),
  }
}

/** Whether a form can be drawn for a body; other bodies are written as JSON. */
export function hasForm(body: Schema | undefined): boolean {
  if (!body) return false
  const { properties } = body
  return typeof properties === 'object' && properties !== null && Object.keys(properties).length > 0
}

/** How one plugin stands to one operation of a system. */
export interface Standing {
  plugin: Plugin
  /** Asked for by its manifest. */
  asked: boolean
  granted: boolean
}

/** Which plugins may call an operation, or ask to. */
export function standings(plugins: readonly Plugin[], system: string, operation: string): Standing[] {
  const g = { system, operation }
  return plugins
    .map((plugin) => ({
      plugin,
      asked: (plugin.manifest.needs ?? []).some((n) => covers(n, g)),
      granted: (plugin.grants ?? []).some((x) => same(x, g)),
    }))
    .filter((s) => s.asked || s.granted)
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
