import { type APIRequestContext, expect, test } from '@playwright/test'
import { accessible } from './axe'
import { around, type FlowDocument, node, project, publishedFlow, startedRun } from './steps'

const short = { type: 'task', plugin: 'core', action: 'wait_for', inputs: { duration: '50ms' } }
const moment = {
  type: 'task',
  plugin: 'core',
  action: 'wait_until',
  inputs: { at: '${when}', past: 'fail' },
}
const when = { name: 'when', source: 'input', title: '时刻', schema: { type: 'string' }, required: true }
const past = '2020-01-01T00:00:00Z'

function serial(id: string, name: string, nodes: object[]): FlowDocument {
  const all = [{ id: 'start', type: 'start' }, ...nodes, { id: 'end', type: 'end' }] as { id: string }[]
  return {
    format: 'culm.flow/v1',
    id,
    name,
    variables: [when],
    nodes: all,
    edges: all.slice(1).map((n, i) => ({ id: `e${i + 1}`, from: all[i]?.id, to: n.id })),
  }
}

/** A flow whose failure lies two subflows deep. */
async function nested(request: APIRequestContext, stamp: string): Promise<string> {
  const inner = await publishedFlow(
    request,
    serial(`check-${stamp}`, '检查', [
      { ...short, id: 'probe', name: '探测' },
      { ...moment, id: 'verify', name: '核对' },
    ]),
  )
  const middle = await publishedFlow(
    request,
    serial(`deploy-${stamp}`, '部署', [
      { id: 'check', type: 'subflow', name: '检查', flow: inner, inputs: { when: '${when}' } },
    ]),
  )
  return publishedFlow(
    request,
    serial(`release-${stamp}`, '发布', [
      { ...short, id: 'prepare', name: '准备' },
      { id: 'deploy', type: 'subflow', name: '部署', flow: middle, inputs: { when: '${when}' } },
    ]),
  )
}

test('an operator follows a failure into the subflows, and sends a colleague the link', async ({ page, request }) => {
  const run = await startedRun(request, await nested(request, `in-${Date.now()}`), { when: past })
  await page.goto(`/p/${project}/runs/${run}`)
  await expect(page).toHaveTitle(/^! 1 个节点失败 · /)
  await expect(page.locator('link[rel="icon"]')).toHaveAttribute('href', /ac0000/)
  await expect(node(page, 'deploy')).toHaveAttribute('data-s', 'running')
  await expect(node(page, 'deploy').getByRole('img', { name: '错误' })).toBeVisible()

  await page.keyboard.press('F8')
  await expect(node(page, 'verify')).toHaveAttribute('data-s', 'failed')
  await expect(node(page, 'probe')).toHaveAttribute('data-s', 'succeeded')
  const place = page.getByRole('navigation', { name: '子流程位置' })
  await expect(place).toContainText('检查')
  await page.keyboard.press('r')
  await expect(page.getByRole('dialog')).toContainText('重试 核对')
  await page.keyboard.press('s') // a dialog is open: the key is not the console's
  await expect(page.getByRole('dialog')).toContainText('重试 核对')
  await page.keyboard.press('Escape')
  await expect(page.getByRole('dialog')).toHaveCount(0)

  // The same place in another window, from the address alone.
  await page.getByRole('tab', { name: '输入' }).click()
  const colleague = await page.context().newPage()
  await colleague.goto(page.url())
  await expect(node(colleague, 'verify')).toHaveAttribute('data-s', 'failed')
  await expect(colleague.getByRole('tab', { name: '输入' })).toHaveAttribute('aria-selected', 'true')
  await colleague.close()

  // Out with the keyboard, and in again; then out to the run's own flow at once.
  await page.keyboard.press('Alt+ArrowUp')
  await expect(node(page, 'check')).toHaveAttribute('data-selected', 'true')
  await page.keyboard.press('Alt+ArrowDown')
  await expect(node(page, 'verify')).toBeVisible()
  await place.getByRole('button', { name: '主流程' }).click()
  await expect(node(page, 'prepare')).toHaveAttribute('data-s', 'succeeded')
  await expect(place.getByRole('button', { name: '进入子流程 部署' })).toBeVisible()

  // Of thirteen nodes only those that matter now.
  await page.getByRole('switch', { name: '隐藏成功的节点' }).click()
  await expect(page.getByTestId('row-prepare')).toHaveCount(0)
  await page.getByRole('group', { name: '按状态筛选' }).getByRole('button', { name: '失败 1' }).click()
  await expect(page).toHaveURL(/show=failed/)
  await expect(page.getByRole('navigation', { name: '节点列表' }).getByRole('listitem')).toHaveCount(1)
})

test('an operator retries, and sees what was different, who did what, and what the good run did', async ({
  page,
  request,
}) => {
  const flow = await publishedFlow(request, serial(`again-${Date.now()}`, '再来', [{ ...moment, id: 'task' }]))
  const good = await startedRun(request, flow, { when: new Date(Date.now() + 8000).toISOString() })
  const run = await startedRun(request, flow, { when: past })
  await page.goto(`/p/${project}/runs/${run}?node=task`)

  const panel = page.getByRole('complementary', { name: '等待至' })
  await panel.getByRole('button', { name: /^现在不能做的/ }).click()
  await expect(panel.getByRole('list', { name: '现在不能做的操作和原因' })).toContainText(
    '只有正在运行或等待的节点可以。',
  )

  await panel.getByRole('group', { name: '节点操作' }).getByRole('button', { name: '重试' }).click()
  const drawer = page.getByRole('dialog')
  await drawer.getByRole('combobox', { name: '已过时' }).click()
  await page.getByRole('option', { name: '立即继续' }).click()
  await drawer.getByRole('button', { name: '重试' }).click()
  await expect(page.getByTestId('run-state')).toHaveText('成功')
  await expect(page).toHaveTitle(/^✓ 成功/)

  await page.getByRole('tab', { name: '输入' }).click()
  await expect(panel.getByRole('region', { name: '输入' })).toContainText('past')
  await panel.getByRole('combobox', { name: '与哪次比较' }).click()
  await page.getByRole('option', { name: '第 1 次 · 失败' }).click()
  const changed = panel.getByRole('region', { name: /处差异$/ })
  await expect(changed.locator('del')).toContainText('fail')
  await expect(changed.locator('ins')).toContainText('continue')

  await page.getByRole('heading', { name: '等待至' }).click()
  await page.keyboard.press('o')
  const operations = page.getByRole('region', { name: '操作记录' })
  await expect(operations.getByRole('row')).toContainText(['操作', '重试', '启动任务'])

  await expect
    .poll(async () => ((await (await request.get(`/api/v1/projects/${project}/runs/${good}`)).json()) as Run).state)
    .toBe('succeeded')
  await page.reload()
  await page.getByRole('tab', { name: '对比' }).click()
  const beside = page.getByRole('region', { name: '对比' })
  await expect(beside).toContainText('上次成功的任务')
  await expect(beside.locator('del')).toBeVisible()
})

interface Run {
  state: string
}

const ticket = {
  plugin: 'demo',
  action: 'open_ticket',
  inputs: { title: '上线' },
}

test('an operator searches the log of the run and reads the calls of an attempt', async ({ page, request }) => {
  const run = await startedRun(request, await publishedFlow(request, around('日志', ticket)))
  await page.goto(`/p/${project}/runs/${run}?node=task&tab=calls`)
  await expect(page.getByRole('tabpanel').getByRole('listitem').first()).toContainText('✓')
  await expect(page.getByRole('link', { name: '查看审计' })).toHaveAttribute('href', /audit\?.*node=/)

  await page.keyboard.press('l')
  const log = page.getByRole('log', { name: '日志' })
  await expect(log).toContainText('ticket')
  await page.getByRole('textbox', { name: '搜索日志' }).fill('TICKET')
  await expect(page.getByRole('status').filter({ hasText: '1/' })).toBeVisible()
  await expect(log.locator('mark').first()).toHaveText('ticket')
  await page.getByRole('textbox', { name: '搜索日志' }).fill('nowhere to be found')
  await expect(page.getByRole('status').filter({ hasText: '没有匹配' })).toBeVisible()
})

test('somebody who looks elsewhere is told of the failure, if that is wanted', async ({ page, request }) => {
  await page.addInitScript(() => {
    const told: string[] = []
    class Shown {
      static readonly permission = 'default'
      static readonly requestPermission = async () => 'granted'
      constructor(title: string, options: { body: string }) {
        told.push(`${title}: ${options.body}`)
      }
    }
    Object.assign(window, { Notification: Shown, told })
    document.hasFocus = () => false
  })
  const wait = { plugin: 'core', action: 'confirm', name: '询问', inputs: { prompt: '?' } }
  const run = await startedRun(request, await publishedFlow(request, around('提醒', wait)))
  await page.goto(`/p/${project}/runs/${run}`)
  await expect(page).toHaveTitle(/^\? 1 个节点等人处理/)
  await page.getByRole('button', { name: '提醒：已关闭' }).click()
  await page.getByRole('switch', { name: '桌面通知' }).click()
  await expect(page.getByRole('button', { name: '提醒：已打开' })).toBeVisible()

  await request.post(`/api/v1/projects/${project}/runs/${run}/nodes/task/commands`, {
    data: { command: 'callback', data: { approved: false } },
  })
  await expect(node(page, 'task')).toHaveAttribute('data-s', 'failed')
  await expect
    .poll(() => page.evaluate(() => (window as unknown as { told: string[] }).told))
    .toEqual([expect.stringMatching(/询问 失败$/)])
})

test('on a phone, an operator finds the failure and retries it', async ({ browser, request }) => {
  const flow = await publishedFlow(request, serial(`phone-${Date.now()}`, '手机重试', [{ ...moment, id: 'task' }]))
  const run = await startedRun(request, flow, { when: past })
  const phone = await browser.newContext({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true })
  const page = await phone.newPage()
  await page.goto(`/p/${project}/runs/${run}`)
  await page.getByRole('button', { name: '下一个' }).tap()
  await page.getByRole('group', { name: '节点操作' }).getByRole('button', { name: '重试' }).tap()
  await page.getByRole('dialog').getByRole('combobox', { name: '已过时' }).tap()
  await page.getByRole('option', { name: '立即继续' }).tap()
  await page.getByRole('dialog').getByRole('button', { name: '重试' }).tap()
  await expect(page.getByTestId('run-state')).toHaveText('成功')
  const width = await page.evaluate(() => document.documentElement.scrollWidth)
  expect(width).toBeLessThanOrEqual(390)
  await phone.close()
})

for (const scheme of ['light', 'dark'] as const) {
  test(`the console inside a subflow, with its records open, meets WCAG 2.2 AA, ${scheme}`, async ({
    page,
    request,
  }) => {
    test.slow() // the analysis of each state takes seconds
    await page.emulateMedia({ colorScheme: scheme })
    const run = await startedRun(request, await nested(request, `axe-${scheme}-${Date.now()}`), { when: past })
    await page.goto(`/p/${project}/runs/${run}?node=deploy.check.verify&tab=inputs`)
    await expect(node(page, 'verify')).toHaveAttribute('data-s', 'failed')
    await page.getByRole('button', { name: /^现在不能做的/ }).click()
    await page.keyboard.press('o')
    await expect(page.getByRole('region', { name: '操作记录' })).toBeVisible()
    await accessible(page)
    await page.getByRole('tab', { name: '对比' }).click()
    await page.getByRole('switch', { name: '隐藏成功的节点' }).click()
    await page.getByRole('button', { name: '更多任务操作' }).click()
    await page.getByRole('menuitem', { name: '终止' }).click()
    await expect(page.getByRole('dialog')).toBeVisible()
    await accessible(page)
  })
}
