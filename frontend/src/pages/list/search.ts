import type { RunState } from '~/api/types'

/** What the address of a list says: every part is a word or absent. */
export type Words<K extends string> = { [key in K]?: string }

/** How far back a list goes, in hours. */
export const spans = { '1h': 1, '24h': 24, '7d': 168, '30d': 720 } as const

export type Span = keyof typeof spans

export const runStates: readonly RunState[] = ['running', 'blocked', 'suspended', 'failed', 'succeeded', 'revoked']

export const stages = ['published', 'changed', 'draft', 'invalid'] as const

export type RunsSearch = Words<
  'q' | 'flow' | 'state' | 'operator' | 'since' | 'from' | 'to' | 'order' | 'parent' | 'cols'
>
export type FlowsSearch = Words<'q' | 'stage' | 'by' | 'since' | 'from' | 'to' | 'sort' | 'order' | 'cols' | 'create'>

const runsKeys = ['q', 'flow', 'state', 'operator', 'since', 'from', 'to', 'order', 'parent', 'cols'] as const
const flowsKeys = ['q', 'stage', 'by', 'since', 'from', 'to', 'sort', 'order', 'cols', 'create'] as const

/** Keeps the words that a list knows; numbers count as words, for a typed address. */
function keep<K extends string>(search: { [key: string]: unknown }, keys: readonly K[]): Words<K> {
  const out: Words<K> = {}
  for (const key of keys) {
    const value = search[key]
    if ((typeof value === 'string' || typeof value === 'number') && String(value) !== '') out[key] = String(value)
  }
  return out
}

export function runsSearch(search: { [key: string]: unknown }): RunsSearch {
  const out = keep(search, runsKeys)
  const states = statesOf(out)
  return { ...out, state: states.length > 0 ? states.join(',') : undefined }
}

export function flowsSearch(search: { [key: string]: unknown }): FlowsSearch {
  const out = keep(search, flowsKeys)
  return { ...out, stage: (stages as readonly string[]).includes(out.stage ?? '') ? out.stage : undefined }
}

/** The states that are asked for; none stands for all. */
export function statesOf(search: { state?: string }): RunState[] {
  const asked = (search.state ?? '').split(',')
  return runStates.filter((s) => asked.includes(s))
}

/** The instants between which a list lies; now is what a span counts from, to the minute. */
export function timesOf(search: Words<'since' | 'from' | 'to'>, now: number): { from?: string; to?: string } {
  const hours = spans[search.since as Span]
  if (hours) {
    const minute = 60_000
    return { from: new Date(Math.floor(now / minute) * minute - hours * 60 * minute).toISOString() }
  }
  const instant = (text: string | undefined) => {
    const at = text ? Date.parse(text) : Number.NaN
    return Number.isNaN(at) ? undefined : new Date(at).toISOString()
  }
  const from = instant(search.from)
  const to = instant(search.to)
  return { ...(from ? { from } : {}), ...(to ? { to } : {}) }
}

/** A query of the API from words; absent ones are left out, lists are given once for each. */
export function queryOf(words: { [key: string]: string | readonly string[] | undefined }): string {
  const query = new URLSearchParams()
  for (const [key, value] of Object.entries(words)) {
    if (typeof value === 'string') {
      if (value !== '') query.append(key, value)
    } else for (const one of value ?? []) query.append(key, one)
  }
  return query.toString()
}

/** What a saved view keeps of an address, always in the same order. */
export function viewOf(search: { [key: string]: string | undefined }): string {
  const kept = Object.entries(search).filter(([key, value]) => value && key !== 'parent' && key !== 'create')
  kept.sort(([a], [b]) => (a < b ? -1 : 1))
  return new URLSearchParams(kept as [string, string][]).toString()
}

/** The words of a saved view. */
export function wordsOf(view: string): { [key: string]: string } {
  return Object.fromEntries(new URLSearchParams(view))
}

/** Whether anything narrows the list. */
export function narrowed(search: { [key: string]: string | undefined }): boolean {
  return ['q', 'flow', 'state', 'operator', 'stage', 'by', 'since', 'from', 'to'].some((key) => search[key])
}
