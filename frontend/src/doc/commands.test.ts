import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Flow, FlowDetail } from '~/api/types'
import { apply, type Command } from './commands'
import { createDocStore } from './store'

const flow: Flow = {
  format: 'culm.flow/v1',
  name: 'base',
  nodes: [
    { id: 'a', type: 'start' },
    { id: 'b', type: 'task', inputs: { x: 1 } },
    { id: 'c', type: 'exclusive' },
    { id: 'd', type: 'end' },
  ],
  edges: [
    { id: 'e1', from: 'a', to: 'b' },
    { id: 'e2', from: 'b', to: 'c' },
    { id: 'e3', from: 'c', to: 'd', condition: 'x > 1' },
  ],
  variables: [{ name: 'x', source: 'input' }],
}

const detail: FlowDetail = {
  id: 'f',
  document: flow,
  revision: 1,
  version: 0,
  published_revision: 0,
  problems: [],
  updated_at: '',
  updated_by: '',
}

const name = fc.constantFrom('a', 'b', 'c', 'd', 'p', 'q', 'r')
const edgeName = fc.constantFrom('e1', 'e2', 'e3', 'e9')
const variableName = fc.constantFrom('x', 'y', 'z')
const index = fc.nat({ max: 6 })

const simple: fc.Arbitrary<Command> = fc.oneof(
  fc.record({ id: name, index }).map(
    ({ id, index }): Command => ({
      op: 'insert',
      list: 'nodes',
      items: [{ index, item: { id: `${id}_${index}`, type: 'task' } }],
    }),
  ),
  fc.uniqueArray(name, { maxLength: 3 }).map((keys): Command => ({ op: 'remove', list: 'nodes', keys })),
  fc.uniqueArray(edgeName, { maxLength: 3 }).map((keys): Command => ({ op: 'remove', list: 'edges', keys })),
  fc.uniqueArray(variableName, { maxLength: 2 }).map((keys): Command => ({ op: 'remove', list: 'variables', keys })),
  fc
    .record({ key: name, x: fc.integer(), y: fc.integer() })
    .map(({ key, x, y }): Command => ({ op: 'set', list: 'nodes', key, patch: { position: { x, y } } })),
  fc
    .record({ key: name, inputs: fc.option(fc.dictionary(fc.string(), fc.integer()), { nil: undefined }) })
    .map(({ key, inputs }): Command => ({ op: 'set', list: 'nodes', key, patch: { inputs } })),
  fc
    .record({ key: edgeName, condition: fc.option(fc.string(), { nil: undefined }) })
    .map(({ key, condition }): Command => ({ op: 'set', list: 'edges', key, patch: { condition } })),
  fc
    .record({ key: variableName, to: fc.constantFrom('v1', 'v2') })
    .map(({ key, to }): Command => ({ op: 'set', list: 'variables', key, patch: { name: to } })),
  fc.record({ key: edgeName, to: index }).map(({ key, to }): Command => ({ op: 'reorder', list: 'edges', key, to })),
  fc.string().map((name): Command => ({ op: 'meta', patch: { name } })),
)
const command = fc.oneof(
  { weight: 5, arbitrary: simple },
  { weight: 1, arbitrary: fc.array(simple, { maxLength: 4 }).map((commands): Command => ({ op: 'batch', commands })) },
)

/** Names are unique in a real document; the store above the commands sees to it. */
function distinct(doc: Flow): boolean {
  const nodes = doc.nodes.map((n) => n.id)
  const variables = (doc.variables ?? []).map((v) => v.name)
  return new Set(nodes).size === nodes.length && new Set(variables).size === variables.length
}

describe('apply', () => {
  it('gives the inverse of every command', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 25 }), (commands) => {
        let doc = flow
        const steps: { before: Flow; inverse: Command }[] = []
        for (const c of commands) {
          const applied = apply(doc, c)
          if (!distinct(applied.doc)) continue
          steps.push({ before: doc, inverse: applied.inverse })
          doc = applied.doc
        }
        for (const { before, inverse } of steps.reverse()) {
          doc = apply(doc, inverse).doc
          expect(doc).toEqual(before)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('leaves the document it was given alone', () => {
    const before = structuredClone(flow)
    apply(flow, { op: 'set', list: 'nodes', key: 'b', patch: { inputs: { x: 2 } } })
    apply(flow, { op: 'remove', list: 'edges', keys: ['e1'] })
    expect(flow).toEqual(before)
  })

  it('keeps the order of edges, which is the order of their conditions', () => {
    const { doc, inverse } = apply(flow, { op: 'remove', list: 'edges', keys: ['e1', 'e3'] })
    expect(doc.edges.map((e) => e.id)).toEqual(['e2'])
    expect(apply(doc, inverse).doc.edges.map((e) => e.id)).toEqual(['e1', 'e2', 'e3'])
  })
})

describe('history', () => {
  it('undoes and redoes any walk, also with gestures', () => {
    const tag = fc.constantFrom(undefined, 'typing', 'nudge')
    fc.assert(
      fc.property(fc.array(fc.tuple(command, tag), { maxLength: 20 }), (walk) => {
        const store = createDocStore(detail)
        const seen: Flow[] = [store.getState().doc]
        for (const [c, t] of walk) {
          if (!distinct(apply(store.getState().doc, c).doc)) continue
          const entries = store.getState().undoable.length
          store.getState().commit(c, t)
          const { doc, undoable } = store.getState()
          if (undoable.length === entries) seen[seen.length - 1] = doc
          else seen.push(doc)
        }
        for (let i = seen.length - 2; i >= 0; i--) {
          store.getState().undo()
          expect(store.getState().doc).toEqual(seen[i])
        }
        for (let i = 1; i < seen.length; i++) {
          store.getState().redo()
          expect(store.getState().doc).toEqual(seen[i])
        }
      }),
      { numRuns: 300 },
    )
  })

  it('makes one entry of one gesture', () => {
    const store = createDocStore(detail)
    for (const value of ['1', '12', '123']) {
      store.getState().commit({ op: 'set', list: 'nodes', key: 'b', patch: { inputs: { x: value } } }, 'b/x')
    }
    expect(store.getState().undoable).toHaveLength(1)
    store.getState().seal()
    store.getState().commit({ op: 'set', list: 'nodes', key: 'b', patch: { inputs: { x: '4' } } }, 'b/x')
    expect(store.getState().undoable).toHaveLength(2)
    store.getState().undo()
    store.getState().undo()
    expect(store.getState().doc).toEqual(flow)
  })

  it('forgets what was undone when something new is done', () => {
    const store = createDocStore(detail)
    store.getState().commit({ op: 'meta', patch: { name: 'one' } })
    store.getState().undo()
    store.getState().commit({ op: 'meta', patch: { name: 'two' } })
    store.getState().redo()
    expect(store.getState().doc.name).toBe('two')
  })
})

describe('what this version does not know', () => {
  it('stays through every kind of change', () => {
    const doc = {
      format: 'culm.flow/v1',
      name: 'f',
      subflows: { inner: { format: 'culm.flow/v1', name: 'inner', nodes: [], edges: [] } },
      later: 1,
      nodes: [{ id: 'a', type: 'task', retry: { max: 3, later: true }, later: [1] }],
      edges: [],
    } as unknown as Flow
    const commands: Command[] = [
      { op: 'meta', patch: { timeout_ms: 5 } },
      { op: 'set', list: 'nodes', key: 'a', patch: { ignore_failure: true } },
      { op: 'insert', list: 'nodes', items: [{ index: 1, item: { id: 'b', type: 'subflow', flow: 'inner' } }] },
      { op: 'remove', list: 'nodes', keys: ['b'] },
    ]
    let changed = doc
    for (const command of commands) changed = apply(changed, command).doc
    expect(changed).toEqual({ ...doc, timeout_ms: 5, nodes: [{ ...doc.nodes[0], ignore_failure: true }] })
  })
})
