import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type APIRequestContext, expect, type Locator, type Page, test } from '@playwright/test'
import { launch, type Server, stop } from './server'
import { around, type FlowDocument, node, project, publishedFlow, startedRun } from './steps'

const api = `/api/v1/projects/${project}`
const wait = { plugin: 'core', action: 'wait_for', inputs: { duration: '1s' } }

const status = (page: Page, kind: string) => page.locator(`.ed-saved[data-save="${kind}"]`)

async function drawn(request: APIRequestContext, flow: string) {
  const { document } = await (await request.get(`${api}/flows/${flow}`)).json()
  return document as { variables?: { name: string }[]; nodes: { id: string; name?: string; inputs?: object }[] }
}

const nameOf = async (request: APIRequestContext, flow: string) =>
  (await drawn(request, flow)).nodes.find((n) => n.id === 'task')?.name

/** Opens a flow and the field with the name of its task. */
async function naming(page: Page, flow: string): Promise<Locator> {
  await page.goto(`/p/${project}/flows/${flow}`)
  await node(page, 'task').click()
  await page.getByRole('tab', { name: '基本' }).click()
  return page.getByRole('textbox', { name: '节点名称' })
}

/** Ends a tab: it is not closed, but killed, and nothing of the page runs any more. */
async function kill(page: Page) {
  const killed = page.waitForEvent('crash')
  const session = await page.context().newCDPSession(page)
  session.send('Page.crash').catch(() => undefined)
  await killed
}

/** Saves in the name of somebody else, who has the newest revision. */
async function saveAsAnother(request: APIRequestContext, flow: string, change: (document: FlowDocument) => void) {
  const theirs = await (await request.get(`${api}/flows/${flow}`)).json()
  change(theirs.document)
  const saved = await request.put(`${api}/flows/${flow}`, {
    data: { document: theirs.document },
    headers: { 'If-Match': `"${theirs.revision}"` },
  })
  expect(saved.status()).toBe(200)
}

test('what is edited is saved by itself', async ({ page, request }) => {
  const flow = await publishedFlow(request, around('自动保存', wait))
  await (await naming(page, flow)).fill('自己存的')
  await expect(status(page, 'saved')).toBeVisible()
  await expect.poll(() => nameOf(request, flow)).toBe('自己存的')
})

test('two people edit at once and nothing of either is lost', async ({ page, request }) => {
  const flow = await publishedFlow(request, around('同时编辑', wait))
  const name = await naming(page, flow)
  await saveAsAnother(request, flow, (document) => {
    document.variables = [{ name: 'theirs', source: 'input', schema: { type: 'string' } }]
  })
  await name.fill('我的名字')
  await page.getByRole('button', { name: '保存' }).click()
  await expect(status(page, 'saved')).toBeVisible()
  const both = await drawn(request, flow)
  expect(both.variables?.map((v) => v.name)).toEqual(['theirs'])
  expect(both.nodes.find((n) => n.id === 'task')?.name).toBe('我的名字')

  // Undo takes back one's own edits, and only those.
  await page.getByRole('button', { name: '撤销', exact: true }).click()
  await page.getByRole('button', { name: '保存' }).click()
  await expect.poll(() => nameOf(request, flow)).toBeUndefined()
  expect((await drawn(request, flow)).variables).toHaveLength(1)
})

test('two people change the same field, and a person decides', async ({ page, request }) => {
  const flow = await publishedFlow(request, around('同一处', { ...wait, name: '原来的名字' }))
  // Nobody tells this page of the other save before it saves itself.
  await page.routeWebSocket(/\/presence$/, () => undefined)
  const name = await naming(page, flow)
  await saveAsAnother(request, flow, (document) => {
    Object.assign(document.nodes[1] ?? {}, { name: '对方的名字' })
  })
  await name.fill('我的名字')
  await page.getByRole('button', { name: '保存' }).click()
  const dialog = page.getByRole('dialog', { name: '别人刚刚也保存了' })
  for (const side of ['原来的名字', '对方的名字', '我的名字'])
    await expect(dialog.locator('dd', { hasText: side })).toBeVisible()
  await dialog.getByRole('radiogroup').getByText('对方的').click()
  await dialog.getByRole('button', { name: '合并并保存' }).click()
  await expect(status(page, 'saved')).toBeVisible()
  await expect(node(page, 'task')).toContainText('对方的名字')
  expect(await nameOf(request, flow)).toBe('对方的名字')
})

test('edits outlive a tab that is killed at once', async ({ context, request }) => {
  const flow = await publishedFlow(request, around('标签页', wait))
  const first = await context.newPage()
  let arrives = false
  await context.route(`**${api}/flows/${flow}`, (route) =>
    arrives || route.request().method() !== 'PUT' ? route.continue() : route.abort(),
  )
  await (await naming(first, flow)).fill('没有保存')
  await kill(first)

  const second = await context.newPage()
  await second.goto(`/p/${project}/flows/${flow}`)
  await expect(second.getByText('已取回')).toBeVisible()
  await expect(node(second, 'task')).toContainText('没有保存')
  expect(await nameOf(request, flow)).toBeUndefined()
  arrives = true
  await expect(status(second, 'saved')).toBeVisible()
  await expect.poll(() => nameOf(request, flow)).toBe('没有保存')
  await second.getByRole('button', { name: '不要这些修改' }).click()
  await expect(node(second, 'task')).not.toContainText('没有保存')
  await expect.poll(() => nameOf(request, flow)).toBeUndefined()
})

test.describe('a server that is killed', () => {
  test.setTimeout(300_000)
  const dir = mkdtempSync(join(tmpdir(), 'culm-e2e-killed-'))
  let server: Server

  test.afterAll(async () => {
    if (server) await stop(server, 'SIGKILL')
    rmSync(dir, { recursive: true, force: true })
  })

  test('comes back, and the open console goes on without a reload', async ({ browser, playwright }) => {
    server = await launch(join(dir, 'data'), '127.0.0.1:0')
    const request = await playwright.request.newContext({ baseURL: server.url })
    const question = { plugin: 'core', action: 'confirm', inputs: { prompt: '继续？' } }
    const run = await startedRun(request, await publishedFlow(request, around('断线', question)))
    const context = await browser.newContext({ baseURL: server.url })
    const page = await context.newPage()
    await page.goto(`/p/${project}/runs/${run}?node=task`)
    await expect(page.getByTestId('link')).toHaveAttribute('data-link', 'live')
    await expect(page.getByRole('button', { name: '同意' })).toBeVisible()
    await page.evaluate(() => Object.assign(window, { sameDocument: true }))
    const list = await context.newPage()
    await list.goto(`/p/${project}/flows?create=1`)
    const name = list.getByRole('textbox', { name: '名称' })
    await name.fill('没有提交')

    await stop(server, 'SIGKILL')
    await expect(page.getByTestId('link')).toHaveAttribute('data-link', 'reconnecting')
    await expect(list.getByRole('status').filter({ hasText: '连不上服务器' })).toBeVisible()
    await list.getByRole('button', { name: '创建' }).click()
    await expect(list.getByText('连接不上服务')).toBeVisible()
    await expect(list.getByRole('alert')).toHaveCount(0)
    server = await launch(join(dir, 'data'), new URL(server.url).host)
    await expect(page.getByTestId('link')).toHaveAttribute('data-link', 'live', { timeout: 30_000 })
    await expect(list.getByTestId('away')).toHaveCount(0, { timeout: 30_000 })
    await expect(name).toHaveValue('没有提交')
    await list.getByRole('button', { name: '创建' }).click()
    await expect(list).toHaveURL(/\/flows\/[^/?]+$/)
    await list.close()

    await page.getByRole('button', { name: '同意' }).click()
    await expect(node(page, 'task')).toHaveAttribute('data-s', 'succeeded')
    await expect(page.getByTestId('run-state')).toHaveText('成功')
    expect(await page.evaluate(() => 'sameDocument' in window)).toBe(true)
    await context.close()
    await request.dispose()
  })

  test('no edit is lost when the network, the server and the tab die one after the other', async ({
    browser,
    playwright,
  }) => {
    if (server) await stop(server, 'SIGKILL')
    server = await launch(join(dir, 'data'), server ? new URL(server.url).host : '127.0.0.1:0')
    const request = await playwright.request.newContext({ baseURL: server.url })
    const flow = await publishedFlow(request, around('什么都断', wait))
    const context = await browser.newContext({ baseURL: server.url })
    const page = await context.newPage()
    const name = await naming(page, flow)

    await context.setOffline(true)
    await name.fill('断网时')
    await expect(status(page, 'offline')).toBeVisible()
    await context.setOffline(false)
    await expect(status(page, 'saved')).toBeVisible()
    expect(await nameOf(request, flow)).toBe('断网时')

    // The server dies while a save is on its way, and the tab while it tries again.
    await context.route(`**${api}/flows/${flow}`, async (route) => {
      if (route.request().method() === 'PUT') await stop(server, 'SIGKILL')
      await route.continue()
    })
    await name.fill('服务器死了')
    await expect(status(page, 'offline')).toBeVisible()
    await context.unroute(`**${api}/flows/${flow}`)
    await name.fill('标签页也死了')
    await kill(page)

    server = await launch(join(dir, 'data'), new URL(server.url).host)
    // Whoever saved meanwhile keeps what they did, too.
    await saveAsAnother(request, flow, (document) => {
      document.variables = [{ name: 'theirs', source: 'input', schema: { type: 'string' } }]
    })
    const again = await context.newPage()
    await again.goto(`/p/${project}/flows/${flow}`)
    await expect(node(again, 'task')).toContainText('标签页也死了')
    await expect(status(again, 'saved')).toBeVisible()
    expect(await nameOf(request, flow)).toBe('标签页也死了')
    expect((await drawn(request, flow)).variables).toHaveLength(1)

    // What was saved before a kill is there after it.
    await stop(server, 'SIGKILL')
    server = await launch(join(dir, 'data'), new URL(server.url).host)
    expect(await nameOf(request, flow)).toBe('标签页也死了')
    await context.close()
    await request.dispose()
  })
})
