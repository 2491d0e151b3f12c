import { describe, expect, it } from 'vitest'
import type { Attempt, LogLine, NodeDetail } from '~/api/types'
import { type Note, withNotes } from './detail'

const line = (text: string): LogLine => ({ at: '2026-01-01T00:00:00Z', level: 'info', text })
const note = (seq: number, attempt: number, text: string): Note => ({
  seq,
  at: '2026-01-01T00:00:00Z',
  kind: 'node.note',
  node: 'a',
  data: { attempt, log: [line(text)] },
})
const attempt = (iteration: number, n: number, log: LogLine[]): Attempt => ({
  iteration,
  attempt: n,
  state: 'running',
  log,
  calls: [],
})
const texts = (d: NodeDetail) => d.attempts?.map((a) => a.log?.map((l) => l.text))

describe('the log of a node that is being read', () => {
  it('goes on with the lines of the stream, each once', () => {
    const detail: NodeDetail = { node: 'a', state: 'running', seq: 5, attempts: [attempt(0, 1, [line('one')])] }
    expect(texts(withNotes(detail, [note(4, 1, 'one'), note(6, 1, 'two'), note(7, 1, 'three')]))).toEqual([
      ['one', 'two', 'three'],
    ])
    expect(withNotes(detail, [note(5, 1, 'one')])).toBe(detail)
  })

  it('puts a line to the newest attempt that has its number', () => {
    const detail: NodeDetail = {
      node: 'a',
      state: 'running',
      seq: 5,
      attempts: [attempt(0, 1, []), attempt(0, 2, []), attempt(1, 1, [])],
    }
    expect(texts(withNotes(detail, [note(6, 1, 'again'), note(7, 3, 'unknown attempt')]))).toEqual([[], [], ['again']])
  })
})
