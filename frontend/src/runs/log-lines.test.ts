import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Line, look, parts } from './log-lines'

const line = (text: string, level: Line['level'] = 'info', node?: string): Line => ({
  at: '2026-01-01T00:00:00Z',
  level,
  text,
  ...(node ? { node } : {}),
})
const log = [line('begin'), line('Connection refused', 'error', 'deploy'), line('trying again', 'warn'), line('done')]

describe('a search in a log', () => {
  it('finds words whatever their case, in the text and in the name of the node', () => {
    expect(look(log, 'connection', 'debug', false).hits).toEqual([1])
    expect(look(log, 'DEPLOY', 'debug', false).hits).toEqual([1])
    expect(look(log, '  ', 'debug', false)).toEqual({ lines: log, hits: [] })
  })

  it('can leave out what was not found, and what is not important', () => {
    expect(look(log, 'again', 'debug', true).lines).toEqual([log[2]])
    expect(look(log, '', 'warn', false).lines).toEqual([log[1], log[2]])
    expect(look(log, 'again', 'warn', false).hits).toEqual([1])
  })

  it('cuts a line where the words stand, and loses nothing of it', () => {
    expect(parts('a b A', 'a')).toEqual(['', 'a', ' b ', 'A', ''])
    fc.assert(fc.property(fc.string(), fc.string(), (text, words) => parts(text, words).join('') === text))
  })
})
