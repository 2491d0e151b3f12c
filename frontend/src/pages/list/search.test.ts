import { describe, expect, it } from 'vitest'
import { flowsSearch, narrowed, queryOf, runsSearch, statesOf, timesOf, viewOf, wordsOf } from './search'

describe('the address of a list', () => {
  it('keeps what the list knows, and drops the rest', () => {
    const search = runsSearch({ q: 12, state: 'failed,odd,blocked', color: 'red', flow: '' })
    expect(search).toEqual({ q: '12', state: 'blocked,failed' })
    expect(statesOf(search)).toEqual(['blocked', 'failed'])
    expect(flowsSearch({ stage: 'odd' }).stage).toBeUndefined()
  })

  it('counts a span from the minute, so that the question stays the same for a while', () => {
    const now = Date.parse('2026-11-26T10:00:42Z')
    expect(timesOf({ since: '24h' }, now)).toEqual({ from: '2026-11-25T10:00:00.000Z' })
    expect(timesOf({ from: '2026-11-01T00:00:00Z', to: 'yesterday' }, now)).toEqual({
      from: '2026-11-01T00:00:00.000Z',
    })
  })

  it('survives being saved as a view', () => {
    const search = runsSearch({ state: 'failed', q: 'a&b=c 中', parent: 'r1', cols: 'state' })
    const view = viewOf(search)
    expect(view).not.toContain('parent')
    expect(runsSearch(wordsOf(view))).toEqual({ ...search, parent: undefined })
    expect(viewOf(runsSearch(wordsOf(view)))).toBe(view)
  })

  it('asks the server with each state once', () => {
    expect(queryOf({ state: ['failed', 'blocked'], q: '', flow: undefined, limit: '5' })).toBe(
      'state=failed&state=blocked&limit=5',
    )
  })

  it('is narrowed by filters, not by its order or columns', () => {
    expect(narrowed({ order: 'asc', cols: 'x', parent: 'r' })).toBe(false)
    expect(narrowed({ since: '1h' })).toBe(true)
  })
})
