import { expect, test } from '@playwright/test'
import type { RunRecord } from '../src/api/records'
import type { NodeView, RunDetail } from '../src/api/types'
import { applyFrame, emptyChanges, modelOf } from '../src/run/fold'
import { around, type FlowDocument, project, publishedFlow, startedRun } from './steps'

const api = `/api/v1/projects/${project}`

/** Instants as numbers, so that only what they mean is compared. */
function plain(view: NodeView): object {
  const instants = Object.fromEntries(
    (['started_at', 'ended_at', 'due', 'deadline'] as const).map((k) => [k, view[k] ? Date.parse(view[k]) : undefined]),
  )
  return JSON.parse(JSON.stringify({ ...view, iteration: view.iteration ?? 0, ...instants }))
}

const person = { plugin: 'core', action: 'confirm', inputs: { prompt: '?' } }
const tooLate = { plugin: 'core', action: 'wait_until', inputs: { at: '2020-01-01T00:00:00Z', past: 'fail' } }
const short = { plugin: 'core', action: 'wait_for', inputs: { duration: '200ms' } }

interface Story {
  document: FlowDocument
  /** What an operator does before the comparison. */
  act?(send: (path: string, body: object) => Promise<unknown>): Promise<void>
}

const stories: Record<string, Story> = {
  'a run that waits for a person': { document: around('person', person) },
  'a run with a failed node': { document: around('failed', tooLate) },
  'a run that is done': { document: around('done', short) },
  'a failure that is ignored': { document: around('ignored', { ...tooLate, ignore_failure: true }) },
  'a node that is tried again by itself': {
    document: around('again', { ...tooLate, retry: { max: 5, delay_ms: 3_600_000 } }),
  },
  'a node with a timeout': { document: around('timeout', { ...person, timeout: { after_ms: 3_600_000 } }) },
  'a node that is held': {
    document: around('held', person),
    act: async (send) => {
      await send('nodes/end/commands', { command: 'pause' })
    },
  },
  'an inline subflow': {
    document: {
      ...around('outer', {}),
      nodes: [
        { id: 'start', type: 'start' },
        { id: 'task', type: 'subflow', flow: 'inner' },
        { id: 'end', type: 'end' },
      ],
      subflows: { inner: around('inner', tooLate) },
    },
  },
  'a rollback': {
    document: {
      ...around('back', {}),
      nodes: [
        { id: 'start', type: 'start' },
        { id: 'first', type: 'task', ...short },
        { id: 'task', type: 'task', ...tooLate },
        { id: 'end', type: 'end' },
      ],
      edges: [
        { id: 'e1', from: 'start', to: 'first' },
        { id: 'e2', from: 'first', to: 'task' },
        { id: 'e3', from: 'task', to: 'end' },
      ],
    },
    act: async (send) => {
      await send('commands', { command: 'rollback', from: 'task', to: 'first', mode: 'any' })
    },
  },
}

for (const [story, { document, act }] of Object.entries(stories)) {
  test(`folding the records of ${story} gives what the server shows`, async ({ request }) => {
    const run = await startedRun(request, await publishedFlow(request, document))
    const read = async () => (await (await request.get(`${api}/runs/${run}`)).json()) as RunDetail
    const settled = () =>
      expect
        .poll(async () => {
          const { state, nodes } = await read()
          const quiet = Object.values(nodes ?? {}).some(
            (n) => n.wait?.kind === 'human' || (n.state === 'failed' && n.due),
          )
          return ['succeeded', 'blocked', 'failed'].includes(state) || quiet
        })
        .toBe(true)
    await settled()
    await act?.(async (path, body) => {
      const answer = await request.post(`${api}/runs/${run}/${path}`, { data: body })
      expect(answer.status(), await answer.text()).toBe(200)
    })
    await settled()

    const view = await read()
    const { items } = (await (await request.get(`${api}/runs/${run}/records?after=0&limit=200`)).json()) as {
      items: RunRecord[]
    }
    const empty = { ...view, state: 'created' as const, nodes: {}, taken: [], ended_at: undefined, outputs: undefined }
    const model = modelOf(empty, 0)
    const records = items.filter((r) => r.seq <= view.seq)
    expect(applyFrame(model, { type: 'records', records }, emptyChanges())).toBe('applied')

    expect(model.seq).toBe(view.seq)
    expect(model.run.state).toBe(view.state)
    expect(model.run.rollback).toEqual(view.rollback)
    expect([...model.taken].sort()).toEqual([...(view.taken ?? [])].sort())
    const shown = (nodes: Iterable<[string, NodeView]>) =>
      Object.fromEntries([...nodes].map(([id, n]) => [id, plain(n)]))
    expect(shown(model.nodes)).toEqual(shown(modelOf(view, view.seq).nodes))
  })
}
