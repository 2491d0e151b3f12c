import { type APIRequestContext, type Browser, expect, type Page, test } from '@playwright/test'
import { accessible } from './axe'
import { around, node, project, publishedFlow } from './steps'

const wait = { plugin: 'core', action: 'wait_for', name: '等一会儿', inputs: { duration: '1s' } }

/** Somebody who opens a flow in a browser of their own, and is called so there. */
async function person(browser: Browser, flow: string, name: string): Promise<Page> {
  const context = await browser.newContext()
  await context.addInitScript((n) => localStorage.setItem('culm.name', n), name)
  const page = await context.newPage()
  await page.goto(`/p/${project}/flows/${flow}`)
  await expect(node(page, 'task')).toBeVisible()
  return page
}

/** Opens the field with the name of the task. */
async function naming(page: Page) {
  await node(page, 'task').click()
  await page.getByRole('tab', { name: '基本' }).click()
  return page.getByRole('textbox', { name: '节点名称' })
}

const nameOf = async (request: APIRequestContext, flow: string) => {
  const { document } = await (await request.get(`/api/v1/projects/${project}/flows/${flow}`)).json()
  return (document.nodes as { id: string; name?: string }[]).find((n) => n.id === 'task')?.name
}

const saved = (page: Page) => page.locator('.ed-saved[data-save="saved"]')

test('two people see each other, where each works, and what the other saves', async ({ browser, request }) => {
  const flow = await publishedFlow(request, around('一起编辑', wait))
  const li = await person(browser, flow, '李雷')
  const han = await person(browser, flow, '韩梅梅')
  await expect(li.getByRole('status').filter({ hasText: '韩梅梅也打开了这个流程' })).toBeAttached()

  const name = await naming(li)
  await name.fill('李雷改的')
  await expect(node(han, 'task').locator('.pr-over[data-editing="true"]')).toContainText('李雷')
  await han.getByRole('button', { name: '另有 1 人打开了这个流程' }).click()
  const people = han.getByRole('dialog', { name: '另有 1 人打开了这个流程' })
  await expect(people.getByRole('button', { name: /正在修改/ })).toBeVisible()
  await accessible(han)
  await han.keyboard.press('Escape')

  // Without a reload, and without having edited anything.
  await expect(node(han, 'task')).toContainText('李雷改的')
  await expect(saved(han)).toBeVisible()

  // Somebody publishes: the other one's bar says so.
  await li.getByRole('button', { name: '发布', exact: true }).click()
  await li.getByRole('dialog').getByRole('button', { name: '发布', exact: true }).click()
  await expect(han.locator('.ed-saved')).toContainText('v2')

  await li.context().close()
  await expect(han.locator('.pr-faces')).toBeHidden()
  await expect(han.locator('.pr-over')).toBeHidden()
  await han.context().close()
})

test('two people change the same field at once, and the second one decides', async ({ browser, request }) => {
  const flow = await publishedFlow(request, around('同时改', wait))
  const li = await person(browser, flow, '李雷')
  const han = await person(browser, flow, '韩梅梅')
  const [lis, hans] = [await naming(li), await naming(han)]
  await hans.fill('韩梅梅的')
  await lis.fill('李雷的')
  await li.getByRole('button', { name: '保存' }).click()
  await expect.poll(() => nameOf(request, flow)).toMatch(/的$/)

  // Whoever was second is asked; the other goes on undisturbed, and is shown the result.
  const asked = (page: Page) => page.getByRole('dialog', { name: '别人刚刚也保存了' })
  await expect.poll(async () => (await asked(li).count()) + (await asked(han).count())).toBe(1)
  const [second, first] = (await asked(li).count()) > 0 ? [li, han] : [han, li]
  await accessible(second)
  await asked(second).getByRole('radiogroup').getByText('我的', { exact: true }).click()
  await asked(second).getByRole('button', { name: '合并并保存' }).click()
  await expect(saved(second)).toBeVisible()
  const kept = second === li ? '李雷的' : '韩梅梅的'
  await expect(node(first, 'task')).toContainText(kept)
  expect(await nameOf(request, flow)).toBe(kept)
  for (const page of [li, han]) await page.context().close()
})
