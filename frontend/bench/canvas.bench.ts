import { loadavg } from 'node:os'
import { expect, type Page, test, type WebSocketRoute } from '@playwright/test'
import { project, publishedFlow, startedRun } from '../e2e/steps'
import type { RunDetail } from '../src/api/types'
import { changes, tasksOf, wideFlow } from './flows'
import { close, drag, dragView, nodeInSight, overview, settled, until, wheel } from './gestures'
import { Meter, quantile, type Reading } from './meter'

/** What is to be held on two cores without a graphics card, by the number of nodes. */
const goals = {
  200: { paint: 600, pan: 6, fps: 55, fit: 6, drag: 8, heap: 60 },
  1000: { paint: 800, pan: 6, fps: 55, fit: 6, drag: 10, heap: 80 },
  2000: { paint: 1000, pan: 7, fps: 55, fit: 6, drag: 12, heap: 100 },
  5000: { paint: 1500, pan: 8, fps: 50, fit: 6, drag: 16, heap: 150 },
} as const
const updates = { 100: { share: 10, p99: 200 }, 1000: { share: 25, p99: 250 } } as const

// What a figure below holds that no page can do without: a frame that shows nothing new is cheap, and most is what the
// browser itself does with each move of the mouse. It is part of the goals, so it is not subtracted.
test('what the machine gives a page that does nothing', async ({ page }) => {
  await page.setContent('<canvas width="1400" height="800"></canvas>')
  const meter = await Meter.of(page)
  row('an empty page, nothing moving', '', await meter.while(() => until(performance.now() + 2000)))
  row('an empty page, the mouse moving', '', await meter.while(() => drag(page, { x: 700, y: 400 })))
})

for (const size of [200, 1000, 2000, 5000] as const) {
  test(`${size} nodes`, async ({ page, request }) => {
    const goal = goals[size]
    const document = wideFlow(`Bench ${size}`, size)
    const flow = await publishedFlow(request, document)
    say(
      `\n${size} nodes (${document.nodes.length} nodes, ${document.edges.length} edges), load ${loadavg()[0]?.toFixed(1)}`,
    )

    const paint = await painted(page, `/p/${project}/flows/${flow}`)
    number('open the editor until the drawing is seen, ms', paint, goal.paint)

    const meter = await Meter.of(page)
    await overview(page)
    row('pan, everything in sight', `≤ ${goal.fit} ms`, await meter.while(() => dragView(page)))
    await close(page)
    row('pan at 100 %', `≤ ${goal.pan} ms, ≥ ${goal.fps} FPS`, await meter.while(() => dragView(page)))
    row('zoom around 100 %', `≤ ${goal.pan} ms`, await meter.while(() => wheel(page)))
    await close(page)
    // The first press on a node also opens its form: that is no part of the drag.
    const at = await nodeInSight(page)
    await page.mouse.click(at.x, at.y)
    await expect(page.locator('.react-flow__node.selected')).toBeVisible()
    await settled(page)
    row('drag a node', `≤ ${goal.drag} ms`, await meter.while(() => drag(page, at)))

    const run = await startedRun(request, flow)
    await live(page, run, tasksOf(document), goal.heap)
  })
}

/** Gives a run changes at a steady rate, in the batches that the server makes, and measures the page. */
async function live(page: Page, run: string, tasks: string[], heapGoal: number): Promise<void> {
  const sockets: WebSocketRoute[] = []
  await page.routeWebSocket(/\/events/, (ws) => {
    sockets.push(ws)
  })
  const answer = await page.request.get(`/api/v1/projects/${project}/runs/${run}`)
  const { seq } = (await answer.json()) as RunDetail
  const paint = await painted(page, `/p/${project}/runs/${run}`)
  number('open the run until the drawing is seen, ms', paint, undefined)
  await expect.poll(() => sockets.length).toBeGreaterThan(0)
  const socket = sockets.at(-1)
  const meter = await Meter.of(page)
  const stream = changes(tasks, seq)
  await watchNodes(page)
  for (const view of ['everything in sight', 'at 100 %'] as const) {
    if (view === 'at 100 %') await close(page)
    else await overview(page)
    for (const rate of [100, 1000] as const) {
      const sent = new Map<string, number>()
      const share = await meter.share(() => feed(socket, stream, rate, sent))
      const goal = updates[rate]
      number(`${rate} changes a second, ${view}: main thread, %`, share, goal.share)
      const late = await lateness(page, sent)
      if (late.length > 5) number('  from the frame to the node, p99, ms', quantile(late, 0.99), goal.p99)
    }
  }
  number('heap with the run open, MiB', await meter.heap(), heapGoal)
}

/** Sends changes for some seconds; notes when which node was given which state. */
async function feed(
  socket: WebSocketRoute | undefined,
  stream: Generator<object>,
  rate: number,
  sent: Map<string, number>,
): Promise<void> {
  const [batchMs, seconds] = [100, 4]
  const began = performance.now()
  for (let batch = 1; batch <= (seconds * 1000) / batchMs; batch++) {
    await until(began + batch * batchMs)
    const records = Array.from({ length: (rate * batchMs) / 1000 }, () => stream.next().value as ChangeRecord)
    for (const r of records) sent.set(`${r.node} ${r.data.to}`, Date.now())
    socket?.send(JSON.stringify({ type: 'records', records }))
  }
}

interface ChangeRecord {
  node: string
  data: { to: string }
}

/** Notes in the page when a node on the canvas takes which state. */
async function watchNodes(page: Page): Promise<void> {
  await page.evaluate(() => {
    window.benchSeen = []
    new MutationObserver((all) => {
      for (const { target } of all) {
        const element = target as HTMLElement
        const id = element.closest('.react-flow__node')?.getAttribute('data-id')
        if (id) window.benchSeen.push([id, element.dataset.s ?? '', Date.now()])
      }
    }).observe(document.body, { subtree: true, attributes: true, attributeFilter: ['data-s'] })
  })
}

/** How long each change that is seen took from the frame to the node, in ms. */
async function lateness(page: Page, sent: ReadonlyMap<string, number>): Promise<number[]> {
  const seen = await page.evaluate(() => window.benchSeen.splice(0))
  return seen.flatMap(([id, state, at]) => {
    const began = sent.get(`${id} ${state}`)
    return began === undefined || at < began ? [] : [at - began]
  })
}

/** Opens a page three times and answers the middle time from the request until the drawing is painted. */
async function painted(page: Page, path: string): Promise<number> {
  const times: number[] = []
  await page.addInitScript(() => {
    const look = () => {
      if (!document.querySelector('.cv-overview, .react-flow__node')) return void requestAnimationFrame(look)
      // One frame more: what was found has then been drawn.
      requestAnimationFrame(() => {
        window.benchPainted = performance.now()
      })
    }
    requestAnimationFrame(look)
  })
  await page.goto(path) // fills the browser's cache
  for (let i = 0; i < 3; i++) {
    await page.goto(path)
    await page.waitForFunction(() => window.benchPainted > 0)
    times.push(await page.evaluate(() => window.benchPainted))
  }
  return quantile(times, 0.5)
}

function row(what: string, goal: string, r: Reading): void {
  const figures = [
    `${r.main.toFixed(2)} ms a frame`,
    `${r.fps.toFixed(0)} FPS`,
    `p95 ${r.p95.toFixed(0)} ms`,
    `main thread ${r.share.toFixed(0)} %`,
  ]
  say(`  ${what.padEnd(46)} ${figures.join(', ').padEnd(60)} ${goal}`)
}

function number(what: string, value: number, goal: number | undefined): void {
  const ratio = goal === undefined ? '' : `≤ ${goal}   ratio ${(value / goal).toFixed(2)}`
  say(`  ${what.padEnd(46)} ${value.toFixed(0).padEnd(60)} ${ratio}`)
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
