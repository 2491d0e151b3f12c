import { describe, expect, it } from 'vitest'
import { ApiError } from '~/api/client'
import type { Flow, FlowDetail } from '~/api/types'
import { createDocStore, isDirty } from '~/doc/store'
import { createSaver, type Ports } from './saver'

const drawn: Flow = {
  format: 'culm.flow/v1',
  name: 'flow',
  nodes: [
    { id: 'a', type: 'start', position: { x: 0, y: 0 } },
    { id: 'b', type: 'task', inputs: { x: 1, y: 1 }, position: { x: 100, y: 0 } },
  ],
  edges: [{ id: 'e1', from: 'a', to: 'b' }],
}

const detailOf = (document: Flow, revision: number): FlowDetail => ({
  id: 'f',
  document,
  revision,
  version: 0,
  published_revision: 0,
  problems: [],
  updated_at: '2026-11-26T09:00:00Z',
  updated_by: 'local',
})

const problem = (status: number) =>
  new ApiError({ title: 'refused', status, code: status === 0 ? 'NETWORK' : 'INVALID' })

/** A server in memory, a clock that the test moves, and what this browser keeps. */
function world() {
  const server = { document: drawn, revision: 1, down: false, dies: false, refuse: 0, puts: 0 }
  const kept: { document: Flow; base: Flow; revision: number }[] = []
  const timers: { at: number; work: () => void }[] = []
  let now = 0
  const taken: number[] = []
  const store = createDocStore(detailOf(drawn, 1))
  const ports: Ports = {
    put: async (document, revision) => {
      server.puts++
      if (server.down) throw problem(0)
      if (server.refuse) throw problem(server.refuse)
      if (server.revision !== revision) throw problem(409)
      server.document = document
      server.revision++
      // The answer is lost on its way: the server has it, and the page does not know.
      if (server.dies) throw problem(0)
      return detailOf(document, server.revision)
    },
    fetch: async () => {
      if (server.down || server.dies) throw problem(0)
      return detailOf(structuredClone(server.document), server.revision)
    },
    keep: () => {
      const { doc, saved, revision } = store.getState()
      kept.splice(0, 1, { document: doc, base: saved, revision })
    },
    forget: () => void kept.splice(0),
    after: (ms, work) => {
      const timer = { at: now + ms, work }
      timers.push(timer)
      return () => {
        const i = timers.indexOf(timer)
        if (i >= 0) timers.splice(i, 1)
      }
    },
    taken: (merged) => taken.push(merged.taken),
  }
  const saver = createSaver(store, ports)
  const stop = saver.start()
  const settle = async () => {
    for (let i = 0; i < 50; i++) await Promise.resolve()
  }
  const pass = async (ms: number) => {
    const end = now + ms
    for (;;) {
      const next = timers.filter((t) => t.at <= end).sort((a, b) => a.at - b.at)[0]
      if (!next) break
      timers.splice(timers.indexOf(next), 1)
      now = next.at
      next.work()
      await settle()
    }
    now = end
    await settle()
  }
  const edit = (patch: object) => store.getState().commit({ op: 'set', list: 'nodes', key: 'b', patch: patch as never })
  const theirs = (change: (flow: Flow) => Flow) => {
    server.document = change(server.document)
    server.revision++
  }
  return {
    server,
    kept,
    store,
    saver,
    taken,
    edit,
    theirs,
    pass,
    settle,
    stop,
    kind: () => saver.state.getState().kind,
  }
}

const withB = (flow: Flow, patch: object): Flow => ({
  ...flow,
  nodes: flow.nodes.map((n) => (n.id === 'b' ? { ...n, ...patch } : n)),
})

describe('saving by itself', () => {
  it('saves two seconds after the first edit, once for all of them', async () => {
    const w = world()
    w.edit({ name: 'one' })
    await w.pass(1500)
    w.edit({ name: 'two' })
    expect(w.server.puts).toBe(0)
    expect(w.kind()).toBe('edited')
    await w.pass(500)
    expect(w.server.puts).toBe(1)
    expect(w.server.document.nodes[1]?.name).toBe('two')
    expect(w.kind()).toBe('saved')
  })

  it('keeps every edit in the browser until the server has it, and no longer', async () => {
    const w = world()
    w.edit({ name: 'one' })
    expect(w.kept[0]?.document.nodes[1]?.name).toBe('one')
    w.edit({ name: 'two' })
    w.saver.keep()
    expect(w.kept[0]?.document.nodes[1]?.name).toBe('two')
    expect(w.kept[0]?.base).toBe(drawn)
    await w.pass(2000)
    expect(w.kept).toEqual([])
  })

  it('saves what was edited while a save was under way', async () => {
    const w = world()
    w.edit({ name: 'one' })
    const first = w.saver.flush()
    w.edit({ name: 'two' })
    await first
    await w.pass(2000)
    expect(w.server.document.nodes[1]?.name).toBe('two')
    expect(isDirty(w.store.getState())).toBe(false)
  })

  it('asks again, more and more seldom, while the server does not answer', async () => {
    const w = world()
    w.server.down = true
    w.edit({ name: 'one' })
    await w.pass(2000)
    expect(w.kind()).toBe('offline')
    await w.pass(60_000)
    expect(w.server.puts).toBeLessThan(9)
    expect(w.kept[0]?.document.nodes[1]?.name).toBe('one')
    w.edit({ name: 'two' })
    w.server.down = false
    w.saver.retry()
    await w.settle()
    expect(w.server.document.nodes[1]?.name).toBe('two')
    expect(w.kind()).toBe('saved')
  })

  it('does not take its own save for somebody else’s when the answer was lost', async () => {
    const w = world()
    w.server.dies = true
    w.edit({ name: 'one' })
    await w.pass(2000)
    expect(w.server.revision).toBe(2)
    w.server.dies = false
    w.edit({ inputs: { x: 2, y: 1 } })
    await w.pass(60_000)
    expect(w.kind()).toBe('saved')
    expect(w.server.document.nodes[1]).toMatchObject({ name: 'one', inputs: { x: 2, y: 1 } })
    expect(w.taken).toEqual([])
  })

  it('keeps what the server refuses, and tries the next edit', async () => {
    const w = world()
    w.server.refuse = 422
    w.edit({ name: 'bad' })
    await w.pass(2000)
    expect(w.kind()).toBe('refused')
    expect(w.kept).toHaveLength(1)
    w.server.refuse = 0
    w.edit({ name: 'good' })
    await w.pass(2000)
    expect(w.server.document.nodes[1]?.name).toBe('good')
  })

  it('keeps the edits of a flow that somebody deleted', async () => {
    const w = world()
    w.server.refuse = 404
    w.edit({ name: 'one' })
    await w.pass(2000)
    expect(w.kind()).toBe('gone')
    expect(w.kept).toHaveLength(1)
  })
})

describe('two people', () => {
  it('get each other’s edits when they do not clash', async () => {
    const w = world()
    w.edit({ name: 'mine' })
    w.theirs((flow) => withB(flow, { inputs: { x: 1, y: 7 } }))
    await w.pass(2000)
    expect(w.server.document.nodes[1]).toMatchObject({ name: 'mine', inputs: { x: 1, y: 7 } })
    expect(w.store.getState().doc.nodes[1]?.inputs).toEqual({ x: 1, y: 7 })
    expect(w.taken).toEqual([1])
    expect(w.kind()).toBe('saved')
  })

  it('undo their own edits only', async () => {
    const w = world()
    w.edit({ name: 'mine' })
    w.theirs((flow) => withB(flow, { inputs: { x: 1, y: 7 } }))
    await w.pass(2000)
    w.store.getState().undo()
    await w.pass(2000)
    expect(w.server.document.nodes[1]?.name).toBeUndefined()
    expect(w.server.document.nodes[1]?.inputs).toEqual({ x: 1, y: 7 })
  })

  it('see the other’s edits without having any', async () => {
    const w = world()
    w.theirs((flow) => withB(flow, { name: 'theirs' }))
    w.saver.pull(2)
    await w.settle()
    expect(w.store.getState().doc.nodes[1]?.name).toBe('theirs')
    expect(w.server.puts).toBe(0)
    expect(w.kind()).toBe('saved')
  })

  it('are asked where they changed the same thing, and nothing is saved before', async () => {
    const w = world()
    w.edit({ inputs: { x: 2, y: 1 } })
    w.theirs((flow) => withB(flow, { inputs: { x: 3, y: 1 } }))
    await w.pass(2000)
    expect(w.kind()).toBe('conflict')
    w.edit({ name: 'meanwhile' })
    await w.pass(60_000)
    expect(w.server.document.nodes[1]?.inputs).toEqual({ x: 3, y: 1 })
    expect(w.kept[0]?.document.nodes[1]).toMatchObject({ name: 'meanwhile', inputs: { x: 2, y: 1 } })

    const state = w.saver.state.getState()
    if (state.kind !== 'conflict') throw new Error('no conflict')
    const { merge } = await import('~/doc/merge')
    const { saved, doc } = w.store.getState()
    await w.saver.settle(state.theirs, merge(saved, doc, state.theirs.document, 'mine'))
    expect(w.server.document.nodes[1]).toMatchObject({ name: 'meanwhile', inputs: { x: 2, y: 1 } })
    expect(w.kind()).toBe('saved')
  })
})
