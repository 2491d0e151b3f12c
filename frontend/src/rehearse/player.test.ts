import { describe, expect, it } from 'vitest'
import type { RunRecord } from '~/api/records'
import type { RunView } from '~/api/types'
import { Player } from './player'
import { scriptOf } from './script'

const at = (second: number) => new Date(second * 1000).toISOString()
const state = (seq: number, second: number, node: string, to: string) =>
  ({ seq, at: at(second), kind: 'node.state', node, data: { to, attempt: 1 } }) as unknown as RunRecord
const view = {
  id: 'r',
  name: 'r',
  project: 'p',
  flow: 'f',
  version: 1,
  state: 'succeeded',
  seq: 5,
  operator: 'me',
  created_at: at(0),
  nodes: {},
} as RunView
const records = [
  state(1, 1, 'a', 'running'),
  state(2, 3, 'a', 'succeeded'),
  state(3, 3, 'b', 'running'),
  state(4, 9, 'b', 'failed'),
]

describe('the player of a dry run', () => {
  it('shows the run as it was at a moment', () => {
    const player = new Player(view, records)
    player.show(2000)
    expect(player.store.node('a')?.state).toBe('running')
    expect(player.store.node('b')).toBeUndefined()
    player.show(3000)
    expect(player.store.node('a')?.state).toBe('succeeded')
    expect(player.store.node('b')?.state).toBe('running')
  })

  it('goes back as well as forth', () => {
    const player = new Player(view, records)
    expect(player.show(9000)).toBe(4)
    expect(player.store.summary.failed).toEqual(['b'])
    expect(player.show(2000)).toBe(1)
    expect(player.store.node('b')).toBeUndefined()
    expect(player.store.summary.failed).toEqual([])
    expect(player.show(0)).toBe(0)
    expect(player.store.node('a')).toBeUndefined()
  })
})

describe('the script of a dry run', () => {
  it('says what fails, and what an operator does about it', () => {
    const script = scriptOf(
      { n: 1 },
      new Map([
        ['a', 'retry'],
        ['b', 'skip'],
        ['c', 'fail'],
        ['d', 'succeed'],
      ]),
    )
    expect(Object.keys(script.nodes as object)).toEqual(['a', 'b', 'c'])
    expect(script.actions).toEqual([
      { when: { node: 'a', state: 'failed' }, after: '1m', do: 'retry' },
      { when: { node: 'b', state: 'failed' }, after: '1m', do: 'skip' },
    ])
    expect(script.inputs).toEqual({ n: 1 })
  })
})
