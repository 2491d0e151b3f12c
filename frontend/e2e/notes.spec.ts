import { expect, type Page, test } from '@playwright/test'
import { accessible } from './axe'
import { around, node, project, publishedFlow, startedRun } from './steps'

const wait = { plugin: 'core', action: 'wait_until', inputs: { at: '2020-01-01T00:00:00Z', past: 'continue' } }

async function opened(page: Page, id: string): Promise<void> {
  await page.goto(`/p/${project}/flows/${id}`)
  await expect(page.locator('.react-flow__node').first()).toBeVisible()
}

test('an author leaves a note on the drawing by the keyboard alone, and takes a step back', async ({ page }) => {
  const id = await publishedFlow(page.request, around(`便签 ${Date.now()}`, wait))
  await opened(page, id)
  await page.keyboard.press('n')
  await expect(page.getByRole('textbox', { name: '内容' }).first()).toBeFocused()
  await page.keyboard.type('夜里先问值班，\n再重试')
  await page.keyboard.press('Escape')
  const note = page.getByRole('group', { name: /^便签：夜里先问值班/ })
  await expect(note).toBeFocused()

  // Arrows move it, with Shift they make it larger; each row of presses is one step of undo.
  const before = await note.boundingBox()
  for (let i = 0; i < 5; i++) await page.keyboard.press('ArrowDown')
  await expect.poll(async () => (await note.boundingBox())?.y).toBeGreaterThan(before?.y ?? 0)
  for (let i = 0; i < 4; i++) await page.keyboard.press('Shift+ArrowRight')
  await expect.poll(async () => (await note.boundingBox())?.width).toBeGreaterThan(before?.width ?? 0)
  await accessible(page)
  await page.keyboard.press('ControlOrMeta+z')
  await expect.poll(async () => (await note.boundingBox())?.width).toBe(before?.width)
  await page.keyboard.press('ControlOrMeta+z')
  await expect.poll(async () => (await note.boundingBox())?.y).toBe(before?.y)

  // What is written is the draft: it is there after loading again.
  await page.keyboard.press('ControlOrMeta+s')
  await expect(page.getByRole('status').filter({ hasText: '已保存' })).toBeVisible()
  await page.reload()
  await expect(note).toContainText('再重试')
})

test('what is typed right after asking for a note goes into the note, though its code is still on the way', async ({
  page,
}) => {
  const id = await publishedFlow(page.request, around(`便签 ${Date.now()}`, wait))
  let arrive = () => {}
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve
  })
  await page.route(/notes-layer.*\.js/, async (route) => {
    await arrived
    await route.continue()
  })
  await opened(page, id)
  // Each of these letters would do something else: add, open a panel, one more note.
  await page.keyboard.type('nsave any?x')
  await page.keyboard.press('Backspace')
  await expect(page.getByRole('complementary', { name: '属性' })).toContainText('便签')
  arrive()
  const field = page.locator('.nt textarea')
  await expect(field).toBeFocused()
  await page.keyboard.type('!')
  await expect(field).toHaveValue('save any?!')
  await expect(page.locator('.nt-layer .nt')).toHaveCount(1)
  await page.keyboard.press('Escape')
  await page.keyboard.press('ControlOrMeta+z')
  await page.keyboard.press('ControlOrMeta+z')
  await expect(page.locator('.nt-layer .nt')).toHaveCount(0)
})

test('notes are dragged, painted, copied and deleted like what else is on the drawing', async ({ page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  const document = {
    ...around(`便签 ${Date.now()}`, wait),
    notes: [{ id: 'n1', text: '窗口期 02:00', x: 0, y: 160, w: 208, h: 96 }],
  }
  const id = await publishedFlow(page.request, document)
  await opened(page, id)
  const notes = page.locator('.nt-layer .nt')
  const note = notes.first()
  const from = await note.boundingBox()
  if (!from) throw new Error('no note is shown')
  await page.mouse.move(from.x + 40, from.y + 20)
  await page.mouse.down()
  await page.mouse.move(from.x + 140, from.y + 80, { steps: 4 })
  await page.mouse.up()
  await expect.poll(async () => Math.round(((await note.boundingBox())?.x ?? 0) - from.x)).toBeGreaterThan(80)

  await page.getByRole('button', { name: '蓝色' }).click()
  await expect(note).toHaveAttribute('data-colour', 'blue')
  await note.focus()
  await page.keyboard.press('ControlOrMeta+c')
  await page.keyboard.press('ControlOrMeta+v')
  await expect(notes).toHaveCount(2)
  await expect(notes.nth(1)).toHaveAttribute('data-colour', 'blue')
  await page.keyboard.press('Delete')
  await expect(notes).toHaveCount(1)

  // A click beside it leaves it; the layout moves the nodes and not the note.
  await note.click()
  await expect(note).toHaveAttribute('data-selected', 'true')
  await page.locator('.react-flow__pane').click({ position: { x: 20, y: 20 } })
  await expect(note).toHaveAttribute('data-selected', 'false')
  const place = await note.getAttribute('style')
  await page.keyboard.press('Shift+L')
  await expect(node(page, 'task')).toBeVisible()
  expect(await note.getAttribute('style')).toBe(place)
})

test('a note and a node that are selected move in one drag, whichever is held, and one step takes it back', async ({
  page,
}) => {
  const notes = [{ id: 'n1', text: '一起走', x: 0, y: 160, w: 208, h: 96 }]
  const id = await publishedFlow(page.request, { ...around(`便签 ${Date.now()}`, wait), notes })
  await opened(page, id)
  const [note, task] = [page.locator('.nt'), node(page, 'task')]
  await task.click()
  await note.click({ modifiers: ['ControlOrMeta'] })
  for (const held of [task, note]) {
    const before = [await note.boundingBox(), await task.boundingBox()]
    const from = await held.boundingBox()
    if (!from) throw new Error('nothing to hold')
    const moved = async () =>
      [await note.boundingBox(), await task.boundingBox()].map((box, i) =>
        Math.round((box?.y ?? 0) - (before[i]?.y ?? 0)),
      )
    await page.mouse.move(from.x + 60, from.y + 12)
    await page.mouse.down()
    await page.mouse.move(from.x + 60, from.y + 92, { steps: 6 })
    // Both are on the way already while the button is down.
    await expect.poll(async () => Math.min(...(await moved()))).toBeGreaterThan(50)
    await page.mouse.up()
    const [first, second] = await moved()
    expect(Math.abs((first ?? 0) - (second ?? 0))).toBeLessThan(9)
    await page.keyboard.press('ControlOrMeta+z')
    await expect.poll(moved).toEqual([0, 0])
  }
})

test('who watches a run reads the notes, and fitting the view shows them', async ({ page }) => {
  const document = {
    ...around(`便签 ${Date.now()}`, wait),
    notes: [{ id: 'n1', text: '先问值班，再重试', x: 0, y: 2400, w: 208, h: 96, colour: 'pink' }],
  }
  const id = await publishedFlow(page.request, document)
  const run = await startedRun(page.request, id)
  for (const address of [`flows/${id}`, `runs/${run}`]) {
    await page.goto(`/p/${project}/${address}`)
    const note = page.locator('.nt')
    await expect(note).toHaveText('先问值班，再重试')
    await page.getByRole('button', { name: '适应画布' }).click()
    await expect(note).toBeInViewport({ ratio: 0.99 })
  }
  // There it is only read: the pointer moves the drawing, and no key finds it.
  await expect(page.getByRole('note', { name: '便签' })).not.toHaveAttribute('tabindex')
})

test('a note that says more than fits is read whole where it stands', async ({ page }) => {
  const long = Array.from({ length: 30 }, (_, i) => `第 ${i + 1} 步`).join('\n')
  const notes = [{ id: 'n1', text: long, x: 0, y: 160, w: 208, h: 96 }]
  const id = await publishedFlow(page.request, { ...around(`便签 ${Date.now()}`, wait), notes })
  const run = await startedRun(page.request, id)
  await page.goto(`/p/${project}/runs/${run}`)
  await page.getByRole('button', { name: '看全文' }).click()
  const whole = page.getByRole('dialog', { name: '便签' })
  await whole.getByText('第 30 步').scrollIntoViewIfNeeded()
  await expect(whole).toBeInViewport()
  await accessible(page)
  await page.keyboard.press('Escape')
  await expect(whole).toBeHidden()
  await expect(page.getByRole('button', { name: '看全文' })).toBeFocused()
})
