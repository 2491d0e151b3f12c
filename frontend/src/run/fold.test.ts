import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Frame, RunRecord } from '~/api/records'
import type { NodeState, RunView } from '~/api/types'
import { applyFrame, emptyChanges, modelOf, type RunModel } from './fold'
import { RunStore } from './store'

const view: RunView = {
  id: 'r1',
  name: 'run',
  project: 'demo',
  flow: 'f',
  version: 1,
  state: 'created',
  seq: 0,
  operator: 'local',
  created_at: '2026-01-01T00:00:00Z',
  nodes: {},
}

const at = (seq: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, seq)).toISOString()
const node = fc.constantFrom('a', 'b', 'c')
const nodeState = fc.constantFrom<NodeState>('ready', 'running', 'waiting', 'succeeded', 'failed', 'skipped', 'unknown')

type Body = Omit<RunRecord, 'seq' | 'at'>
const body: fc.Arbitrary<Body> = fc.oneof(
  fc
    .record({ node, to: nodeState, attempt: fc.integer({ min: 1, max: 3 }) })
    .map(({ node, to, attempt }) => ({ kind: 'node.state', node, data: { to, attempt } }) as Body),
  fc
    .record({ node, percent: fc.nat(100) })
    .map(({ node, percent }) => ({ kind: 'node.note', node, data: { attempt: 1, progress: { percent } } }) as Body),
  fc
    .constantFrom('running', 'suspended', 'blocked', 'succeeded')
    .map((to) => ({ kind: 'run.state', data: { from: 'running', to } }) as Body),
  fc.constantFrom('e1', 'e2').map((edge) => ({ kind: 'token.moved', node: 'a', data: { token: 1, edge } }) as Body),
  fc.constantFrom('e3', 'e4').map((edge) => ({ kind: 'gateway.decided', node: 'a', data: { edges: [edge] } }) as Body),
  fc
    .record({ name: fc.constantFrom('x', 'y'), value: fc.integer() })
    .map((data) => ({ kind: 'variable.set', data }) as Body),
  fc.constant({ kind: 'something.new', data: {} } as unknown as Body),
)
const history = fc
  .array(body, { maxLength: 40 })
  .map((bodies) => bodies.map((b, i) => ({ ...b, seq: i + 1, at: at(i + 1) }) as RunRecord))

function foldAll(records: RunRecord[]): RunModel {
  const model = modelOf(view, 0)
  applyFrame(model, { type: 'records', records }, emptyChanges())
  return model
}

/** A server that loses, repeats and splits frames, but answers a resume exactly. */
function lossy(records: RunRecord[], cuts: number[], lost: boolean[]): Frame[] {
  const frames: Frame[] = []
  let from = 0
  cuts.forEach((size, i) => {
    const part = records.slice(from, from + size)
    // A repeated tail overlaps what was sent before.
    const overlap = records.slice(Math.max(0, from - (i % 3)), from)
    if (!lost[i]) frames.push({ type: 'records', records: [...overlap, ...part] })
    if (i % 4 === 0) frames.push({ type: 'ping' })
    from += size
  })
  return frames
}

describe('folding the stream', () => {
  it('gives the same run however the records are split, lost and resumed', () => {
    fc.assert(
      fc.property(
        history,
        fc.array(fc.integer({ min: 1, max: 7 }), { maxLength: 30 }),
        fc.array(fc.boolean(), { minLength: 30, maxLength: 30 }),
        (records, cuts, lost) => {
          const model = modelOf(view, 0)
          for (const frame of lossy(records, cuts, lost)) {
            if (applyFrame(model, frame, emptyChanges()) === 'gap') {
              const rest = records.filter((r) => r.seq > model.seq)
              expect(applyFrame(model, { type: 'records', records: rest }, emptyChanges())).toBe('applied')
            }
          }
          applyFrame(model, { type: 'records', records: records.filter((r) => r.seq > model.seq) }, emptyChanges())
          expect(model).toEqual(foldAll(records))
        },
      ),
      { numRuns: 500 },
    )
  })

  it('stops at a gap and keeps what was whole', () => {
    const records = [1, 3].map(
      (seq) =>
        ({
          seq,
          at: at(seq),
          kind: 'node.state',
          node: 'a',
          data: { to: seq === 1 ? 'running' : 'failed', attempt: 1 },
        }) as RunRecord,
    )
    const model = modelOf(view, 0)
    expect(applyFrame(model, { type: 'records', records }, emptyChanges())).toBe('gap')
    expect(model.seq).toBe(1)
    expect(model.nodes.get('a')?.state).toBe('running')
  })

  it('takes a snapshot in place of everything before', () => {
    const model = foldAll([
      { seq: 1, at: at(1), kind: 'node.state', node: 'a', data: { to: 'failed', attempt: 1 } } as RunRecord,
    ])
    const changes = emptyChanges()
    applyFrame(
      model,
      {
        type: 'snapshot',
        seq: 9,
        run: { ...view, seq: 9, state: 'running', nodes: { b: { state: 'running', attempt: 2 } }, taken: ['e1'] },
      },
      changes,
    )
    expect(changes.all).toBe(true)
    expect(model.seq).toBe(9)
    expect([...model.nodes.keys()]).toEqual(['b'])
    expect(model.taken).toEqual(new Set(['e1']))
  })

  it('forgets what a rollback took back', () => {
    const of = (seq: number, kind: string, data: object, node?: string) =>
      ({ seq, at: at(seq), kind, data, node }) as RunRecord
    const back = { mode: 'any', from: 'b', to: 'a' }
    const model = foldAll([
      of(1, 'node.state', { to: 'failed', attempt: 1 }, 'b'),
      of(2, 'token.moved', { token: 1, from: 'start', to: 'a', edge: 'e1' }),
      of(3, 'token.moved', { token: 1, from: 'a', to: 'b', edge: 'e2' }),
      of(4, 'run.rollback', { phase: 'begun', ...back, undone: ['b', 'a'] }),
    ])
    expect(model.run.rollback).toEqual(back)
    const rest = [
      of(5, 'node.state', { from: 'failed', to: '', attempt: 1 }, 'b'),
      of(6, 'run.rollback', { phase: 'ended', ...back, edges: ['e2'] }),
    ]
    const changes = emptyChanges()
    applyFrame(model, { type: 'records', records: rest }, changes)
    expect(model.run.rollback).toBeUndefined()
    expect(model.nodes.has('b')).toBe(false)
    expect(model.taken).toEqual(new Set(['e1']))
    expect(changes.edges).toEqual(new Set(['e2']))
  })

  it('starts the clock of a new attempt and drops what the old one said', () => {
    const of = (seq: number, to: NodeState, attempt: number, more = {}) =>
      ({ seq, at: at(seq), kind: 'node.state', node: 'a', data: { to, attempt, ...more } }) as RunRecord
    const failure = { code: 'BOOM', message: 'boom' }
    const model = foldAll([
      of(1, 'running', 1),
      of(2, 'waiting', 1, { wait: { kind: 'human' } }),
      of(3, 'running', 1),
      of(4, 'failed', 1, { failure }),
    ])
    expect(model.nodes.get('a')).toEqual({ state: 'failed', attempt: 1, started_at: at(1), ended_at: at(4), failure })
    applyFrame(model, { type: 'records', records: [of(5, 'running', 2)] }, emptyChanges())
    expect(model.nodes.get('a')).toEqual({ state: 'running', attempt: 2, started_at: at(5) })
  })
})

describe('RunStore', () => {
  it('tells a node once a flush, and only the nodes that changed', () => {
    let flush: (() => void) | undefined
    const store = new RunStore(view, (f) => {
      flush = f
      return () => undefined
    })
    const told = { a: 0, b: 0 }
    store.onNode('a', () => told.a++)
    store.onNode('b', () => told.b++)
    for (let seq = 1; seq <= 50; seq++) {
      store.apply({
        type: 'records',
        records: [
          {
            seq,
            at: at(seq),
            kind: 'node.state',
            node: 'a',
            data: { to: seq % 2 ? 'running' : 'succeeded', attempt: 1 },
          },
        ],
      })
    }
    expect(told).toEqual({ a: 0, b: 0 })
    flush?.()
    expect(told).toEqual({ a: 1, b: 0 })
    expect(store.node('a')?.state).toBe('succeeded')
    expect(store.summary.counts.get('succeeded')).toBe(1)
  })

  it('tells everybody after a snapshot', () => {
    let flush: (() => void) | undefined
    const store = new RunStore(view, (f) => {
      flush = f
      return () => undefined
    })
    let told = 0
    store.onNode('gone', () => told++)
    store.apply({ type: 'snapshot', seq: 4, run: { ...view, seq: 4 } })
    flush?.()
    expect(told).toBe(1)
  })

  it('tells of its nodes at a pace, of the last change in any case, and of the run itself at once', () => {
    const steps: Steps = { flush: [], later: [] }
    const store = stepwise(steps)
    const seen: (number | undefined)[] = []
    store.onRun(() => seen.push(store.summary.counts.get('running')))
    for (const [seq, node] of [
      [1, 'a'],
      [2, 'b'],
      [3, 'c'],
    ] as const) {
      store.apply({ type: 'records', records: [runs(seq, node)] })
      run(steps.flush)
    }
    expect(seen).toEqual([1])
    settle(steps)
    expect(seen).toEqual([1, 3])
    store.apply({
      type: 'records',
      records: [{ seq: 4, at: at(4), kind: 'run.state', data: { to: 'suspended' } } as RunRecord],
    })
    run(steps.flush)
    expect(seen).toEqual([1, 3, 3])
    settle(steps)
    expect(seen).toEqual([1, 3, 3])
  })

  it('tells who is out of sight of many changes together', () => {
    const steps: Steps = { flush: [], later: [] }
    const store = stepwise(steps)
    let told = 0
    store.onNodeCalmly('a', () => told++)
    const off = store.onNodeCalmly('b', () => told++)
    store.apply({ type: 'records', records: [runs(1, 'a')] })
    run(steps.flush)
    expect(told).toBe(1)
    store.apply({ type: 'records', records: [runs(2, 'b')] })
    run(steps.flush)
    store.apply({ type: 'records', records: [runs(3, 'a')] })
    run(steps.flush)
    expect(told).toBe(1)
    off()
    settle(steps)
    expect(told).toBe(2)
  })

  it('tells of work that goes on some times a second, and of what needs a person with the next frame', () => {
    const steps: Steps = { flush: [], later: [] }
    const store = stepwise(steps)
    let told = 0
    store.onNode('a', () => told++)
    const comes = (seq: number, to: NodeState) => {
      const data = { to, attempt: 1 }
      store.apply({ type: 'records', records: [{ seq, at: at(seq), kind: 'node.state', node: 'a', data }] })
      run(steps.flush)
    }
    comes(1, 'running')
    comes(2, 'succeeded')
    comes(3, 'running')
    expect([told, store.drawn]).toEqual([1, 1])
    run(steps.later)
    run(steps.flush)
    expect([told, store.drawn]).toEqual([2, 3])
    comes(4, 'failed')
    expect([told, store.drawn]).toEqual([3, 4])
  })

  it('tells of a person that is needed with the frame that draws it, and once', () => {
    const steps: Steps = { flush: [], later: [] }
    const store = stepwise(steps)
    const seen: string[][] = []
    store.onRun(() => seen.push([...store.needs.failed]))
    const comes = (seq: number, to: NodeState) => {
      const data = { to, attempt: 1 }
      store.apply({ type: 'records', records: [{ seq, at: at(seq), kind: 'node.state', node: 'a', data }] })
      run(steps.flush)
    }
    comes(1, 'running')
    comes(2, 'failed')
    expect(seen).toEqual([[], ['a']])
    settle(steps)
    expect(seen).toEqual([[], ['a']])
  })

  it('keeps what a person is needed for as it is until that changes', () => {
    const steps: Steps = { flush: [], later: [] }
    const store = stepwise(steps)
    const before = store.needs
    store.apply({ type: 'records', records: [runs(1, 'a')] })
    settle(steps)
    expect(store.needs).toBe(before)
    const data = { to: 'failed', attempt: 1 } as const
    store.apply({ type: 'records', records: [{ seq: 2, at: at(2), kind: 'node.state', node: 'a', data }] })
    settle(steps)
    expect(store.needs).toEqual({ failed: ['a'], asking: [] })
  })
})

interface Steps {
  flush: (() => void)[]
  later: (() => void)[]
}

/** A store whose frames and timers come when the test says so. */
function stepwise({ flush, later }: Steps): RunStore {
  const ask = (f: () => void) => {
    flush.push(f)
    return () => undefined
  }
  return new RunStore(view, ask, (f) => later.push(f))
}

function run(calls: (() => void)[]): void {
  for (const call of calls.splice(0)) call()
}

/** Lets frames and timers come until nothing is asked for any more. */
function settle(steps: Steps): void {
  while (steps.flush.length + steps.later.length > 0) {
    run(steps.flush)
    run(steps.later)
  }
}

function runs(seq: number, node: string): RunRecord {
  return { seq, at: at(seq), kind: 'node.state', node, data: { to: 'running', attempt: 1 } } as RunRecord
}
