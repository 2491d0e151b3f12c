import { loadavg } from 'node:os'
import { expect, type Page, test, type WebSocketRoute } from '@playwright/test'
import { project, publishedFlow, startedRun } from '../e2e/steps'
import type { RunDetail } from '../src/api/types'
import { changes, tasksOf, wideFlow } from './flows'
import { Meter, quantile, type Reading } from './meter'

/** What is to be held on two cores without a graphics card, by the number of nodes. */
const goals = {
  200: { paint: 600, pan: 6, fps: 55, fit: 6, drag: 8, heap: 60 },
  1000: { paint: 800, pan: 6, fps: 55, fit: 6, drag: 10, heap: 80 },
  2000: { paint: 1000, pan: 7, fps: 55, fit: 6, drag: 12, heap: 100 },
  5000: { paint: 1500, pan: 8, fps: 50, fit: 6, drag: 16, heap: 150 },
} as const
const updates = { 100: { share: 10, p99: 200 }, 1000: { share: 25, p99: 250 } } as const

/** How long a gesture lasts. */
const gestureMs = 2000
const frameMs = 16

test('what the machine gives a page that does nothing', async ({ page }) => {
  await page.setContent('<canvas width="1400" height="800"></canvas>')
  const meter = await Meter.of(page)
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
    const at = await nodeInSight(page)
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
      const reading = await meter.while(() => feed(socket, stream, rate, sent))
      const goal = updates[rate]
      row(`${rate} changes a second, ${view}`, `≤ ${goal.share} %`, reading)
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

interface Place {
  x: number
  y: number
}

/** Drags the view, from a place where nothing is drawn: that between two rows. */
async function dragView(page: Page): Promise<void> {
  await drag(page, await emptyPlace(page))
}

/** Drags from a place to and fro, and back to it. */
async function drag(page: Page, { x, y }: Place): Promise<void> {
  await page.mouse.move(x, y)
  await page.mouse.down()
  const began = performance.now()
  for (let i = 0; performance.now() - began < gestureMs; i++) {
    await page.mouse.move(x + 160 * Math.sin(i / 12), y + 90 * Math.sin(i / 17))
    await until(began + (i + 1) * frameMs)
  }
  await page.mouse.move(x, y)
  await page.mouse.up()
}

async function wheel(page: Page): Promise<void> {
  const { x, y } = await middle(page)
  await page.mouse.move(x, y)
  const began = performance.now()
  for (let i = 0; performance.now() - began < gestureMs; i++) {
    await page.mouse.wheel(0, Math.sin(i / 10) * 24)
    await until(began + (i + 1) * frameMs)
  }
}

/** The middle of the drawing. */
async function middle(page: Page): Promise<Place> {
  const box = await page.locator('.react-flow').boundingBox()
  if (!box) throw new Error('there is no drawing')
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 }
}

/** The place nearest to the middle of the drawing at which the view can be dragged. */
function emptyPlace(page: Page): Promise<Place> {
  return nearest(page, '.react-flow__pane')
}

/** The place nearest to the middle at which a node can be taken. */
function nodeInSight(page: Page): Promise<Place> {
  return nearest(page, '.nd-task')
}

async function nearest(page: Page, selector: string): Promise<Place> {
  const { x, y } = await middle(page)
  return page.evaluate(
    ([x, y, selector]) => {
      for (let away = 0; away < 600; away += 12)
        for (let angle = 0; angle < 360; angle += 15) {
          const turn = (angle * Math.PI) / 180
          const at = { x: x + away * Math.cos(turn), y: y + away * Math.sin(turn) }
          if (document.elementFromPoint(at.x, at.y)?.closest(selector)) return at
        }
      throw new Error(`nothing of ${selector} is in sight`)
    },
    [x, y, selector] as const,
  )
}

/** Shows all of the flow. */
async function overview(page: Page): Promise<void> {
  await zoom(page, 1)
}

/** Shows a part of the flow in its real size. */
async function close(page: Page): Promise<void> {
  await zoom(page, -1)
  await expect(page.locator('.nd-task').first()).toBeVisible()
}

/** Turns the wheel until the view is as far out, or nearly as close, as it goes. */
async function zoom(page: Page, direction: 1 | -1): Promise<void> {
  const scale = () =>
    page
      .locator('.react-flow__viewport')
      .evaluate((e) => new DOMMatrix(getComputedStyle(e).transform).a)
      .catch(() => 0)
  const { x, y } = await middle(page)
  await page.mouse.move(x, y)
  const enough = direction > 0 ? (s: number) => s < 0.3 : (s: number) => s >= 1
  for (let turns = 0; turns < 100 && !enough(await scale()); turns++) {
    await page.mouse.wheel(0, direction * 120)
    await settled(page)
  }
  await settled(page)
}

/** Waits until the view has stood still for some frames. */
async function settled(page: Page): Promise<void> {
  await page.evaluate(
    () =>
      new Promise<void>((resolve) => {
        let [last, still] = ['', 0]
        const look = () => {
          const view = document.querySelector<HTMLElement>('.react-flow__viewport')?.style.transform ?? ''
          still = view === last ? still + 1 : 0
          last = view
          if (still > 8) resolve()
          else requestAnimationFrame(look)
        }
        look()
      }),
  )
}

function until(at: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, at - performance.now())))
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
