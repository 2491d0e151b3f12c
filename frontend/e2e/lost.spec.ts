import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@playwright/test'
import { launch, type Server, stop } from './server'
import { around, node, project, publishedFlow, startedRun } from './steps'

const api = `/api/v1/projects/${project}`
const wait = { plugin: 'core', action: 'wait_for', inputs: { duration: '1s' } }

test('two people edit at once and nothing of either is lost', async ({ page, request }) => {
  const flow = await publishedFlow(request, around('同时编辑', wait))
  await page.goto(`/p/${project}/flows/${flow}`)
  await node(page, 'task').click()
  await page.getByRole('tab', { name: '基本' }).click()
  await page.getByRole('textbox', { name: '节点名称' }).fill('我的名字')

  // The other person saves first.
  const theirs = await (await request.get(`${api}/flows/${flow}`)).json()
  theirs.document.variables = [{ name: 'theirs', source: 'input', schema: { type: 'string' } }]
  const saved = await request.put(`${api}/flows/${flow}`, {
    data: { document: theirs.document },
    headers: { 'If-Match': `"${theirs.revision}"` },
  })
  expect(saved.status()).toBe(200)

  await page.getByRole('button', { name: '保存' }).click()
  const dialog = page.getByRole('dialog', { name: '别人刚刚也保存了' })
  await expect(dialog).toContainText('1 处修改')
  await dialog.getByRole('button', { name: '合并并保存' }).click()
  await expect(page.getByRole('status').filter({ hasText: '已保存' })).toBeVisible()

  const { document } = await (await request.get(`${api}/flows/${flow}`)).json()
  expect(document.variables.map((v: { name: string }) => v.name)).toEqual(['theirs'])
  expect(document.nodes.find((n: { id: string }) => n.id === 'task').name).toBe('我的名字')
})

test('unsaved edits outlive the tab', async ({ context, request }) => {
  const flow = await publishedFlow(request, around('标签页', wait))
  const first = await context.newPage()
  await first.goto(`/p/${project}/flows/${flow}`)
  await node(first, 'task').click()
  await first.getByRole('tab', { name: '基本' }).click()
  await first.getByRole('textbox', { name: '节点名称' }).fill('没有保存')
  await expect(node(first, 'task')).toContainText('没有保存')
  await first.close({ runBeforeUnload: false })

  const second = await context.newPage()
  await second.goto(`/p/${project}/flows/${flow}`)
  await expect(second.getByText('浏览器里有')).toBeVisible()
  await expect(node(second, 'task')).not.toContainText('没有保存')
  await second.getByRole('button', { name: '恢复' }).click()
  await expect(node(second, 'task')).toContainText('没有保存')
  await second.getByRole('button', { name: '撤销', exact: true }).click()
  await expect(node(second, 'task')).not.toContainText('没有保存')
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

    await stop(server, 'SIGKILL')
    await expect(page.getByTestId('link')).toHaveAttribute('data-link', 'reconnecting')
    server = await launch(join(dir, 'data'), new URL(server.url).host)
    await expect(page.getByTestId('link')).toHaveAttribute('data-link', 'live', { timeout: 30_000 })

    await page.getByRole('button', { name: '同意' }).click()
    await expect(node(page, 'task')).toHaveAttribute('data-s', 'succeeded')
    await expect(page.getByTestId('run-state')).toHaveText('成功')
    expect(await page.evaluate(() => 'sameDocument' in window)).toBe(true)
    await context.close()
    await request.dispose()
  })
})
