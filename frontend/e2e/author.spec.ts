import { expect, test } from '@playwright/test'
import { around, node, project, publishedFlow } from './steps'

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
    await page.getByRole('switch', { name: new RegExp(`^${name} `) }).click()
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
