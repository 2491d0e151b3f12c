import { expect, type Page, test } from '@playwright/test'
import { drop, node, project } from './steps'

const at = (id: string, nodes: object = {}) => ({ id, ...nodes })

/** A draft of start, a wait, and end, opened in the editor; answers its id. */
async function opened(page: Page, name: string, extra: { nodes?: object[]; edges?: object[] } = {}): Promise<string> {
  const made = await page.request.post(`/api/v1/projects/${project}/flows`, {
    data: {
      document: {
        format: 'culm.flow/v1',
        name: `${name} ${Date.now()}`,
        nodes: [
          at('start', { type: 'start', position: { x: 0, y: 10 } }),
          at('first', {
            type: 'task',
            plugin: 'core',
            action: 'wait_for',
            name: '第一步',
            inputs: { duration: '1s' },
            position: { x: 120, y: 0 },
          }),
          at('end', { type: 'end', position: { x: 420, y: 10 } }),
          ...(extra.nodes ?? []),
        ],
        edges: [
          { id: 'e1', from: 'start', to: 'first' },
          { id: 'e2', from: 'first', to: 'end' },
          ...(extra.edges ?? []),
        ],
      },
    },
  })
  const { id } = (await made.json()) as { id: string }
  await page.goto(`/p/${project}/flows/${id}`)
  await expect(node(page, 'first')).toBeVisible()
  return id
}

const edges = (page: Page) => page.locator('.react-flow__edge')
const edge = (page: Page, from: string, to: string) =>
  page.locator(`.react-flow__edge[data-from="${from}"][data-to="${to}"]`)

test('a node is added behind another, into a line, and by dropping it on one', async ({ page }) => {
  await opened(page, '插入')
  await node(page, 'first').click()
  await page.getByRole('button', { name: '在后面添加节点' }).click()
  const list = page.getByRole('dialog', { name: '在后面添加节点' })
  await list.getByRole('combobox').fill('等待时长')
  await list.getByRole('option', { name: /等待时长/ }).click()
  await expect(node(page, 'wait_for1')).toBeVisible()
  await expect(edge(page, 'first', 'wait_for1')).toHaveCount(1)
  await expect(edge(page, 'wait_for1', 'end')).toHaveCount(1)

  // The plus of a line is there when the line is selected.
  await edge(page, 'start', 'first').focus()
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: '在连线上添加节点' }).click()
  await page.getByRole('dialog', { name: '在连线上添加节点' }).getByRole('combobox').fill('等待至')
  await page.keyboard.press('Enter')
  await expect(edge(page, 'start', 'wait_until1')).toHaveCount(1)
  await expect(edge(page, 'wait_until1', 'first')).toHaveCount(1)

  // One gesture is one step back, and what was pushed aside returns with it.
  await page.getByRole('button', { name: '撤销', exact: true }).click()
  await expect(node(page, 'wait_until1')).toHaveCount(0)
  await expect(edge(page, 'start', 'first')).toHaveCount(1)

  const line = await page.locator('.react-flow__edge[data-id="e1"] .react-flow__edge-interaction').boundingBox()
  const pane = await page.locator('.react-flow__pane').boundingBox()
  if (!line || !pane) throw new Error('the line is not drawn')
  await drop(page, '等待至', line.x + line.width / 2 - pane.x, line.y + line.height / 2 - pane.y)
  await expect(edge(page, 'start', 'wait_until1')).toHaveCount(1)
  await expect(edges(page)).toHaveCount(4)
})

test('a line that is let go beside a node asks what should stand there', async ({ page }) => {
  await opened(page, '拉线', {
    nodes: [at('way', { type: 'exclusive', position: { x: 120, y: 160 } })],
  })
  const handle = page.locator('.react-flow__node[data-id="way"] .react-flow__handle.source')
  const box = await handle.boundingBox()
  if (!box) throw new Error('the handle is not drawn')
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2)
  await page.mouse.down()
  await page.mouse.move(box.x + 120, box.y + 120, { steps: 6 })
  await page.mouse.up()
  await page.getByRole('combobox', { name: '在后面添加节点' }).fill('等待时长')
  await page.keyboard.press('Enter')
  await expect(edge(page, 'way', 'wait_for1')).toHaveCount(1)
})

test('letters typed while the list is on its way are looked for in it, and do nothing to the drawing', async ({
  page,
}) => {
  let arrive = () => {}
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve
  })
  await page.route(/\/lists-.*\.js/, async (route) => {
    await arrived
    await route.continue()
  })
  await opened(page, '快手')
  await node(page, 'first').click()
  // Each of these letters would do something else: connect, add once more, put a note on the drawing.
  await page.keyboard.type('acann')
  await page.keyboard.press('Backspace')
  arrive()
  const field = page.getByRole('combobox', { name: '在后面添加节点' })
  await expect(field).toBeFocused()
  await page.keyboard.type('x')
  await expect(field).toHaveValue('canx')
  await page.keyboard.press('Escape')
  await expect(field).toHaveCount(0)
  await expect(page.locator('.react-flow__node')).toHaveCount(3)
  await expect(page.locator('.nt-layer .nt')).toHaveCount(0)

  // Now that it is there, the next list takes every letter, and none of the last.
  await page.keyboard.press('Control+f')
  await page.keyboard.type('end')
  await expect(page.getByRole('combobox', { name: '查找节点' })).toHaveValue('end')
  await page.keyboard.press('Enter')
  await expect(page.locator('.react-flow__node[data-id="end"]')).toBeFocused()
})

test('a flow is drawn and wired without a mouse', async ({ page }) => {
  const made = await page.request.post(`/api/v1/projects/${project}/flows`, {
    data: { document: { format: 'culm.flow/v1', name: `键盘 ${Date.now()}`, nodes: [], edges: [] } },
  })
  const { id } = (await made.json()) as { id: string }
  await page.goto(`/p/${project}/flows/${id}`)
  await expect(page.getByText('从这里开始画')).toBeVisible()
  const add = async (word: string, made: string) => {
    await page.keyboard.press('a')
    await page.getByRole('combobox', { name: /添加节点/ }).fill(word)
    await page.keyboard.press('Enter')
    await expect(page.locator(`.react-flow__node[data-id="${made}"]`)).toBeFocused()
  }
  await add('开始', 'start')
  await add('等待时长', 'wait_for1')
  await add('结束', 'end')
  await expect(edges(page)).toHaveCount(2)

  // Nothing follows an end: a loose node is added, found again by name, and wired by name.
  await add('等待至', 'wait_until1')
  await page.keyboard.press('c')
  const targets = page.getByRole('dialog', { name: /连到/ })
  await expect(targets.getByRole('option', { name: /开始节点不能有入线/ })).toHaveAttribute('aria-disabled', 'true')
  await targets.getByRole('combobox').fill('结束')
  await page.keyboard.press('Enter')
  await expect(edge(page, 'wait_until1', 'end')).toHaveCount(1)

  await page.keyboard.press('Control+f')
  await page.getByRole('combobox', { name: '查找节点' }).fill('wait_for1')
  await page.keyboard.press('Enter')
  await expect(page.locator('.react-flow__node[data-id="wait_for1"]')).toBeFocused()
  await page.keyboard.press('Shift+Delete')
  await expect(edge(page, 'start', 'end')).toHaveCount(1)

  await page.keyboard.press('?')
  await expect(page.getByRole('dialog', { name: '快捷键' })).toContainText('查找节点')
  await page.keyboard.press('Escape')
})

test('several nodes are put in line and spaced, and the reason of a refusal is shown while drawing', async ({
  page,
}) => {
  await opened(page, '对齐')
  await page.locator('.react-flow__pane').click({ position: { x: 30, y: 30 } })
  await page.keyboard.press('Control+a')
  const bar = page.getByRole('toolbar', { name: '多选操作' })
  await expect(bar).toContainText('3 个节点')
  const y = async (id: string) => {
    const box = await page.locator(`.react-flow__node[data-id="${id}"]`).boundingBox()
    return Math.round((box?.y ?? 0) + (box?.height ?? 0) / 2)
  }
  await bar.getByRole('button', { name: '顶部对齐' }).click()
  await expect.poll(async () => (await y('start')) - (await y('first'))).toBeLessThan(0)
  await bar.getByRole('button', { name: '垂直居中' }).click()
  await expect.poll(async () => (await y('start')) - (await y('first'))).toBe(0)

  const box = await page.locator('.react-flow__node[data-id="first"] .react-flow__handle.source').boundingBox()
  const into = await page.locator('.react-flow__node[data-id="first"] .react-flow__handle.target').boundingBox()
  if (!box || !into) throw new Error('the handles are not drawn')
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2)
  await page.mouse.down()
  await page.mouse.move(into.x + 20, into.y + 30, { steps: 4 })
  await page.mouse.move(into.x + into.width / 2, into.y + into.height / 2, { steps: 4 })
  await expect(page.locator('.cv-why')).toHaveText('节点不能连到自己')
  await page.mouse.up()
  await expect(edges(page)).toHaveCount(2)
})
