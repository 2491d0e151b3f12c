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
