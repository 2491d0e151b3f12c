import { describe, expect, it } from 'vitest'
import type { NodeView, RunDetail, RunSummary } from '~/api/types'
import type { PathNode } from '~/doc/paths'
import { compareNodes } from './comparison'
import { bestBefore } from './last-good'

const entry = (path: string) => ({ path, depth: 0 }) as PathNode
const took = (state: NodeView['state'], seconds: number): NodeView => ({
  state,
  attempt: 1,
  started_at: '2026-01-01T00:00:00Z',
  ended_at: new Date(Date.UTC(2026, 0, 1, 0, 0, seconds)).toISOString(),
})

describe('a run beside the last good one', () => {
  it('differs where a node went another way or was much slower, and not where it has not come yet', () => {
    const here: Record<string, NodeView> = {
      same: took('succeeded', 2),
      slow: took('succeeded', 9),
      bad: took('failed', 1),
    }
    const nodes = {
      same: took('succeeded', 2),
      slow: took('succeeded', 3),
      bad: took('succeeded', 1),
      later: took('succeeded', 1),
    }
    const rows = compareNodes(['same', 'slow', 'bad', 'later'].map(entry), (p) => here[p], {
      nodes,
    } as unknown as RunDetail)
    expect(rows.map((r) => r.news)).toEqual([undefined, 'slower', 'state', undefined])
    expect(rows[3]).toMatchObject({ here: 'idle', there: 'succeeded', tookThere: 1000 })
  })

  it('is compared with the newest that went before it, else with the newest there is', () => {
    const run = (id: string, day: number) => ({ id, created_at: `2026-01-0${day}T00:00:00Z` }) as RunSummary
    const runs = [run('c', 5), run('b', 3), run('a', 1)]
    expect(bestBefore(runs, run('x', 4))?.id).toBe('b')
    expect(bestBefore(runs, run('b', 3))?.id).toBe('a')
    expect(bestBefore(runs, run('a', 1))?.id).toBe('c')
    expect(bestBefore([], run('a', 1))).toBeUndefined()
  })
})
