import type { AuditEntry, Outcome } from './types'

/** What of the audit is shown: the query of its page. */
export interface AuditFilter {
  /** Changes or callbacks in place of calls. */
  kind?: 'admin' | 'callback'
  system?: string
  operation?: string
  plugin?: string
  actor?: string
  outcome?: string
  run?: string
  node?: string
  /** How far back, as a word of `periods`. */
  since?: string
  /** Instants, in place of since. */
  from?: string
  to?: string
}

/** The words for how far back, each in milliseconds. */
export const periods = { '1h': 3_600_000, '24h': 86_400_000, '7d': 7 * 86_400_000 } as const

export const outcomes: readonly Outcome[] = ['ok', 'refused', 'failed']

/** How many entries a page has. */
const pageSize = 50

const asIs = ['system', 'operation', 'plugin', 'actor', 'outcome', 'run', 'node', 'to'] as const

/** The query that asks the server for a page of what a filter lets through. */
export function auditQuery(filter: AuditFilter, now: number, cursor?: string): string {
  const query = chosen(filter, now)
  query.set('limit', String(pageSize))
  if (cursor) query.set('cursor', cursor)
  return query.toString()
}

/** The query that exports everything that a filter lets through. */
export function exportQuery(filter: AuditFilter, now: number): string {
  const query = chosen(filter, now)
  query.set('kind', filter.kind ?? 'call')
  return query.toString()
}

function chosen(filter: AuditFilter, now: number): URLSearchParams {
  const query = new URLSearchParams()
  for (const key of asIs) {
    const value = filter[key]
    if (value) query.set(key, value)
  }
  const period = periods[filter.since as keyof typeof periods]
  const from = filter.from ?? (period ? new Date(now - period).toISOString() : undefined)
  if (from) query.set('from', from)
  if (filter.kind) query.set('kind', filter.kind)
  return query
}

/** Where a request came from, in a word: what a proxy says comes first. */
export function cameFrom(e: AuditEntry): string | undefined {
  return e.source?.forwarded ?? e.source?.address
}

/** How many filters are set, so that a phone can say so where it folds them. */
export function filtersSet(filter: AuditFilter): number {
  const { kind: _, ...rest } = filter
  return Object.values(rest).filter(Boolean).length
}

/** The state colour of an outcome. */
export function colourOf(e: AuditEntry): string {
  return { ok: 'succeeded', refused: 'waiting', failed: 'failed' }[e.outcome]
}

/** What an entry is about, in words of its own: "id demo, operation x". */
export function subjectOf(e: AuditEntry): string {
  const subject = Object.entries(e.subject ?? {}).map(([, value]) => value)
  return subject.join(' · ')
}
