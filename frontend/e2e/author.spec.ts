import { expect, test } from '@playwright/test'
import { around, node, project, publishedFlow, serial } from './steps'

const wait = { plugin: 'core', action: 'wait_for', inputs: { duration: '100ms' } }

test('an author copies a node into another flow in another tab, duplicates it and cuts it', async ({
  page,
  context,
}) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  const stamp = Date.now()
  const from = await publishedFlow(page.request, around(`来处 ${stamp}`, { ...wait, name: { zh: '带走的节点' } }))
  const to = await publishedFlow(page.request, around(`去处 ${stamp}`, wait))
  await page.goto(`/p/${project}/flows/${from}`)
  await node(page, 'task').click()
  await page.keyboard.press('ControlOrMeta+c')

  const other = await context.newPage()
  await other.goto(`/p/${project}/flows/${to}`)
  const nodes = other.locator('.react-flow__node')
  const taken = nodes.filter({ hasText: '带走的节点' })
  await expect(nodes).toHaveCount(3)
  await other.locator('.react-flow__pane').click({ position: { x: 30, y: 30 } })
  await other.keyboard.press('ControlOrMeta+v')
  await expect(taken).toHaveCount(1)
  await other.keyboard.press('ControlOrMeta+d')
  await expect(taken).toHaveCount(2)
  await other.keyboard.press('ControlOrMeta+x')
  await expect(taken).toHaveCount(1)
  await other.keyboard.press('ControlOrMeta+v')
  await expect(taken).toHaveCount(2)
})

test('an author says what happens when a node fails or takes long, and the draft keeps it', async ({ page }) => {
  const id = await publishedFlow(page.request, around(`选项 ${Date.now()}`, wait))
  await page.goto(`/p/${project}/flows/${id}`)
  await node(page, 'task').click()
  await page.getByRole('tab', { name: '选项' }).click()
  for (const name of ['可选节点', '自动重试', '超时', '重复执行'])
    await page.getByRole('switch', { name, exact: true }).click()
  // What an option does is its description, not a part of its name.
  await expect(page.getByRole('switch', { name: '超时', exact: true })).toHaveAccessibleDescription(/.{6,}/)
  await page.getByRole('textbox', { name: '最多重试几次' }).fill('4')
  await page.getByRole('textbox', { name: '时限（秒）' }).fill('90')
  await page.getByRole('textbox', { name: '次数', exact: true }).fill('3')
  await page.getByRole('textbox', { name: '次数', exact: true }).blur()
  const draft = async () => {
    const answer = await page.request.get(`/api/v1/projects/${project}/flows/${id}`)
    return JSON.stringify(await answer.json())
  }
  await expect.poll(draft).toMatch(/"optional":true/)
  await expect.poll(draft).toMatch(/"times":3/)
  await page.reload()
  await node(page, 'task').click()
  await page.getByRole('tab', { name: '选项' }).click()
  await expect(page.getByRole('textbox', { name: '最多重试几次' })).toHaveValue('4')
  await expect(page.getByRole('textbox', { name: '时限（秒）' })).toHaveValue('90')
})

test('an author drags a node along guide lines, lets the flow be arranged, and finds a place by the small map', async ({
  page,
}) => {
  const steps = Array.from({ length: 14 }, (_, i) => ({
    id: `step${i}`,
    type: 'task',
    ...wait,
    position: { x: 160 + 200 * i, y: i % 2 ? 130 : 0 },
  }))
  const document = serial(`排版 ${Date.now()}`, steps)
  const ends = [
    { id: 'start', type: 'start', position: { x: 0, y: 10 } },
    { id: 'end', type: 'end', position: { x: 3000, y: 10 } },
  ]
  const id = await publishedFlow(page.request, { ...document, nodes: [ends[0], ...steps, ends[1]] as object[] })
  await page.goto(`/p/${project}/flows/${id}`)
  const places = async () => {
    const all = ['start', 'step0', 'step1', 'step2'].map((n) => page.locator(`.react-flow__node[data-id="${n}"]`))
    return Promise.all(all.map((n) => n.evaluate((e) => e.style.transform)))
  }

  const box = await node(page, 'step1').boundingBox()
  if (!box) throw new Error('the node is not drawn')
  const [x, y] = [box.x + box.width / 2, box.y + 8]
  await page.mouse.move(x, y)
  await page.mouse.down()
  const guides = page.locator('.cv-guide[data-axis="y"]')
  for (let up = 0; up < 400 && (await guides.count()) === 0; up += 8) await page.mouse.move(x, y - up)
  await expect(guides.first()).toBeVisible()
  await page.mouse.up()
  await expect(guides).toHaveCount(0)

  const drawn = await places()
  await page.getByRole('button', { name: '自动排版' }).click()
  await expect.poll(places).not.toEqual(drawn)
  await page.getByRole('button', { name: '撤销', exact: true }).click()
  await expect.poll(places).toEqual(drawn)

  // The view jumps for who asked for reduced motion, and glides for others.
  await page.getByRole('button', { name: '放大' }).click()
  expect(await page.evaluate(viewsOnTheWay)).toBe(1)
  await page.emulateMedia({ reducedMotion: 'no-preference' })
  expect(await page.evaluate(viewsOnTheWay)).toBeGreaterThan(1)
  await page.emulateMedia({ reducedMotion: 'reduce' })

  // Closer, so that not all is in sight; then a press at the other end of the map shows the end.
  for (let i = 0; i < 8; i++) await page.getByRole('button', { name: '放大' }).click()
  await expect(node(page, 'end')).not.toBeInViewport()
  const map = page.getByRole('img', { name: '缩略图' })
  await map.click({ position: { x: 150, y: 47 } })
  await expect(node(page, 'end')).toBeInViewport()
})

/** Presses for a smaller drawing, and answers how often the view was another one until it came to rest. */
async function viewsOnTheWay(): Promise<number> {
  const drawing = document.querySelector<HTMLElement>('.react-flow__viewport')
  const button = document.querySelector<HTMLElement>('[aria-label="缩小"]')
  if (!drawing || !button) throw new Error('there is no drawing')
  const seen = new Set<string>()
  const frame = () => new Promise(requestAnimationFrame)
  button.click()
  for (let still = 0, last = ''; still < 10; ) {
    await frame()
    const now = drawing.style.transform
    still = now === last ? still + 1 : 0
    last = now
    seen.add(now)
  }
  return seen.size
}
