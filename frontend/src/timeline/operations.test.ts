import { describe, expect, it } from 'vitest'
import type { RunRecord } from '~/api/records'
import { Book } from './book'
import { operationOf } from './operations'

const at = '2026-01-01T00:00:00Z'
const record = (kind: string, data: object, more: object = {}): RunRecord =>
  ({ seq: 1, at, kind, actor: { id: 'local' }, data, ...more }) as unknown as RunRecord

describe('the operation log', () => {
  it.each<[string, RunRecord, string | undefined, string?]>([
    ['a start', record('run.started', { name: 'r' }), 'start'],
    ['a pause', record('run.state', { from: 'running', to: 'suspended' }), 'pause'],
    ['a resume', record('run.state', { from: 'suspended', to: 'running' }), 'resume'],
    [
      'an end with its reason',
      record('run.state', { from: 'running', to: 'revoked', reason: 'wrong' }),
      'revoke',
      'wrong',
    ],
    ['a run that moves again behind a command', record('run.state', { from: 'blocked', to: 'running' }), undefined],
    ['a variable', record('variable.set', { name: 'n', value: 3 }), 'set_variable', 'n = 3'],
    ['what a node wrote', record('variable.set', { name: 'n', value: 3 }, { node: 'a' }), undefined],
    ['a retry', record('node.state', { from: 'failed', to: 'running', by: 'retry' }, { node: 'a' }), 'retry'],
    [
      'an answer',
      record('node.state', { from: 'waiting', to: 'running', reason: 'callback' }, { node: 'a' }),
      'answer',
    ],
    ['a hold', record('node.held', { held: true }, { node: 'a' }), 'hold'],
    ['a hold that is taken back', record('node.held', { held: false }, { node: 'a' }), 'release'],
    ['a time that was moved', record('node.timer', { epoch: 1, due: at }, { node: 'a' }), 'reschedule', at],
    ['a rollback', record('run.rollback', { phase: 'begun', mode: 'any', from: 'b', to: 'a' }), 'rollback', 'b → a'],
    [
      'a start of a node behind it',
      record('node.state', { to: 'running', reason: 'execute' }, { node: 'a' }),
      undefined,
    ],
    ['an option of the node', record('node.state', { to: 'running', by: 'auto_retry' }, { node: 'a' }), undefined],
    [
      'what happens by itself',
      record('run.state', { from: 'running', to: 'failed' }, { actor: { id: 'host' } }),
      undefined,
    ],
  ])('%s', (_name, given, deed, detail) => {
    const said = operationOf(given)
    expect(said?.deed).toBe(deed)
    expect(said?.detail).toBe(detail)
  })

  it('is read once from records that come twice, with the log of the nodes', () => {
    const book = new Book()
    const note = record('node.note', { attempt: 1, log: [{ at, level: 'info', text: 'hi' }] }, { node: 'a', seq: 2 })
    book.add([record('run.started', { name: 'r' }), note])
    book.add([note])
    expect(book.story.operations.map((o) => o.deed)).toEqual(['start'])
    expect(book.story.lines).toEqual([{ at, level: 'info', text: 'hi', node: 'a' }])
  })
})
