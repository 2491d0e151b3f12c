import { describe, expect, it } from 'vitest'
import type { RunRecord } from '~/api/records'
import { TrackBook } from './tracks'

let seq = 0
const change = (node: string, second: number, to: string, attempt = 1): RunRecord =>
  ({
    seq: ++seq,
    at: new Date(second * 1000).toISOString(),
    kind: 'node.state',
    node,
    data: { to, attempt },
  }) as unknown as RunRecord

describe('the tracks of a run', () => {
  it('have a span for each state that lasts', () => {
    seq = 0
    const book = new TrackBook()
    book.add([change('a', 1, 'running'), change('a', 3, 'waiting'), change('a', 10, 'succeeded')])
    expect(book.tracks).toEqual([
      {
        path: 'a',
        state: 'succeeded',
        attempts: 1,
        spans: [
          { state: 'running', from: 1000, to: 3000, attempt: 1 },
          { state: 'waiting', from: 3000, to: 10_000, attempt: 1 },
        ],
      },
    ])
  })

  it('tell one try from the next, and how long the failure stood', () => {
    seq = 0
    const book = new TrackBook()
    book.add([change('a', 1, 'running'), change('a', 2, 'failed'), change('a', 60, 'running', 2)])
    expect(book.tracks[0]?.attempts).toBe(2)
    expect(book.tracks[0]?.spans.map((s) => [s.state, s.from, s.to, s.attempt])).toEqual([
      ['running', 1000, 2000, 1],
      ['failed', 2000, 60_000, 1],
      ['running', 60_000, undefined, 2],
    ])
  })

  it('take in every record once, in whatever portions they come', () => {
    seq = 0
    const all = [change('a', 1, 'running'), change('b', 2, 'running'), change('a', 3, 'succeeded')]
    const once = new TrackBook()
    once.add(all)
    const parts = new TrackBook()
    parts.add(all.slice(0, 2))
    parts.add(all)
    expect(parts.tracks).toEqual(once.tracks)
    expect(parts.seq).toBe(3)
  })

  it('show a node that was passed over as a moment', () => {
    seq = 0
    const book = new TrackBook()
    book.add([change('a', 4, 'skipped')])
    expect(book.tracks[0]?.spans).toEqual([{ state: 'skipped', from: 4000, to: 4000, attempt: 1 }])
  })

  it('never end a span before it begins, when a clock was set back', () => {
    seq = 0
    const book = new TrackBook()
    book.add([change('a', 10, 'running'), change('a', 4, 'waiting'), change('a', 12, 'succeeded')])
    for (const s of book.tracks[0]?.spans ?? []) expect(s.to).toBeGreaterThanOrEqual(s.from)
  })
})
