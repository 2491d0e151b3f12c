import { describe, expect, it } from 'vitest'
import { auditQuery, cameFrom, colourOf, exportQuery, filtersSet, subjectOf } from './audit-model'
import type { AuditEntry } from './types'

const noon = Date.parse('2026-05-04T12:00:00Z')
const entry = (more: Partial<AuditEntry>): AuditEntry => ({
  seq: 1,
  prev: '',
  at: '',
  kind: 'call',
  outcome: 'ok',
  ...more,
})

describe('the query of the audit', () => {
  it('names what is set and nothing else', () => {
    expect(auditQuery({ system: 'cmdb', outcome: 'failed', plugin: '' }, noon)).toBe(
      'system=cmdb&outcome=failed&limit=50',
    )
    expect(auditQuery({ kind: 'admin' }, noon, 'next')).toBe('kind=admin&limit=50&cursor=next')
  })

  it('counts a period back from now; exact instants come first, and an unknown word is none', () => {
    expect(new URLSearchParams(auditQuery({ since: '1h' }, noon)).get('from')).toBe('2026-05-04T11:00:00.000Z')
    const exact = new URLSearchParams(
      auditQuery({ since: '1h', from: '2026-01-01T00:00:00Z', to: '2026-01-02T00:00:00Z' }, noon),
    )
    expect([exact.get('from'), exact.get('to')]).toEqual(['2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'])
    expect(auditQuery({ since: 'ages' }, noon)).toBe('limit=50')
  })
})

describe('the query of an export', () => {
  it('has the same filters, says which kind, and no page', () => {
    expect(exportQuery({ system: 'cmdb', since: '1h' }, noon)).toBe(
      'system=cmdb&from=2026-05-04T11%3A00%3A00.000Z&kind=call',
    )
    expect(exportQuery({ kind: 'callback' }, noon)).toBe('kind=callback')
  })
})

describe('where a request came from', () => {
  it('is what the proxy says, else the connection, else unknown', () => {
    expect(cameFrom(entry({ source: { address: '127.0.0.1', forwarded: '203.0.113.7' } }))).toBe('203.0.113.7')
    expect(cameFrom(entry({ source: { address: '127.0.0.1' } }))).toBe('127.0.0.1')
    expect(cameFrom(entry({}))).toBeUndefined()
  })
})

describe('a filter', () => {
  it('is counted without the kind of entries', () => {
    expect(filtersSet({ kind: 'admin' })).toBe(0)
    expect(filtersSet({ system: 'a', outcome: 'ok', actor: '' })).toBe(2)
  })
})

describe('an entry', () => {
  it('has the colour of its outcome and the words of its subject', () => {
    expect(colourOf(entry({ outcome: 'refused' }))).toBe('waiting')
    expect(subjectOf(entry({ subject: { system: 'cmdb', operation: 'find' } }))).toBe('cmdb · find')
    expect(subjectOf(entry({}))).toBe('')
  })
})
