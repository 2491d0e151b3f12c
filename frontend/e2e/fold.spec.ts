import { expect, test } from '@playwright/test'
import type { NodeView, RunDetail, RunRecord } from '../src/api/types'
import { applyFrame, emptyChanges, modelOf } from '../src/run/fold'
import { around, project, publishedFlow, startedRun } from './steps'

const api = `/api/v1/projects/${project}`

/** Instants as numbers, so that only what they mean is compared. */
function plain(view: NodeView): object {
  const instants = Object.fromEntries(
    (['started_at', 'ended_at', 'due'] as const).map((k) => [k, view[k] ? Date.parse(view[k]) : undefined]),
  )
  return JSON.parse(JSON.stringify({ ...view, iteration: view.iteration ?? 0, ...instants }))
}

const stories = {
  'a run that waits for a person': { plugin: 'core', action: 'confirm', inputs: { prompt: '?' } },
  'a run with a failed node': {
    plugin: 'core',
    action: 'wait_until',
    inputs: { at: '2020-01-01T00:00:00Z', past: 'fail' },
  },
  'a run that is done': { plugin: 'core', action: 'wait_for', inputs: { duration: '200ms' } },
}

for (const [story, task] of Object.entries(stories)) {
  test(`folding the records of ${story} gives what the server shows`, async ({ request }) => {
    const run = await startedRun(request, await publishedFlow(request, around(story, task)))
    const read = async () => (await (await request.get(`${api}/runs/${run}`)).json()) as RunDetail
    const still = ['succeeded', 'blocked', 'failed']
    await expect
      .poll(async () => {
        const { state, nodes } = await read()
        return still.includes(state) || nodes?.task?.wait?.kind === 'human'
      })
      .toBe(true)

    const view = await read()
    const { items } = (await (await request.get(`${api}/runs/${run}/records?after=0&limit=200`)).json()) as {
      items: RunRecord[]
    }
    const model = modelOf(
      { ...view, state: 'created', nodes: {}, taken: [], ended_at: undefined, outputs: undefined },
      0,
    )
    expect(
      applyFrame(model, { type: 'records', records: items.filter((r) => r.seq <= view.seq) }, emptyChanges()),
    ).toBe('applied')

    expect(model.seq).toBe(view.seq)
    expect(model.run.state).toBe(view.state)
    expect([...model.taken].sort()).toEqual([...(view.taken ?? [])].sort())
    const folded = Object.fromEntries([...model.nodes].map(([id, n]) => [id, plain(n)]))
    expect(folded).toEqual(Object.fromEntries(Object.entries(view.nodes ?? {}).map(([id, n]) => [id, plain(n)])))
  })
}
