import { describe, expect, it } from 'vitest'
import { auditQuery, colourOf, filtersSet, subjectOf } from './audit-model'
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
      'limit=50&system=cmdb&outcome=failed',
    )
    expect(auditQuery({ kind: 'admin' }, noon, 'next')).toBe('limit=50&kind=admin&cursor=next')
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
