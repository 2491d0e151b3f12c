import { expect, type Locator, type Page, test } from '@playwright/test'
import { grantedToo } from './modules'
import { around, node, project, publishedFlow, serial, startedRun } from './steps'

const api = `/api/v1/projects/${project}`
const late = {
  id: 'moment',
  type: 'task',
  plugin: 'core',
  action: 'wait_until',
  inputs: { at: '2020-01-01T00:00:00Z', past: 'fail' },
}
const ticket = (id: string, title: string) => ({
  id,
  type: 'task',
  plugin: 'demo',
  action: 'open_ticket',
  inputs: { title },
})
const release = {
  id: 'ask',
  type: 'task',
  plugin: 'core',
  action: 'confirm',
  name: '放行',
  inputs: {
    prompt: '可以放行吗？',
    form: {
      type: 'object',
      title: '放行条件',
      properties: { batch: { type: 'integer', title: '每批台数', minimum: 1 } },
      required: ['batch'],
    },
  },
}

/** Goes on with the Tab key until something has the focus. */
async function tabTo(page: Page, target: Locator): Promise<void> {
  await expect(target).toBeVisible()
  for (let i = 0; i < 60; i++) {
    await page.keyboard.press('Tab')
    if (await target.evaluate((e) => e === document.activeElement)) return
  }
  throw new Error(`Tab does not lead to ${target}`)
}

test('an operator brings a failed run to its end without a mouse', async ({ page, request }) => {
  const stamp = Date.now()
  const flow = await publishedFlow(request, serial(`夜班 ${stamp}`, [late, release]))
  await startedRun(request, flow, {}, `夜班 ${stamp}`)
  await page.goto(`/p/${project}/runs?flow=${flow}`)
  await expect(page.getByTestId('run-state')).toHaveText('待处理')
  await page.keyboard.press('j')
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(/\/runs\/[0-9a-f-]+/)

  await expect(page.getByText('1 个节点失败')).toBeVisible()
  await page.keyboard.press('F8')
  await expect(page.getByRole('region', { name: '失败原因' })).toContainText('MOMENT_PASSED')
  await page.keyboard.press('r')
  const drawer = page.getByRole('dialog')
  await tabTo(page, drawer.getByRole('combobox', { name: '已过时' }))
  await page.keyboard.press('ArrowDown')
  await expect(page.getByRole('option', { name: '立即继续' })).toBeVisible()
  for (let i = 0; i < 4; i++) {
    if ((await page.getByRole('option', { name: '立即继续' }).getAttribute('data-combobox-selected')) === 'true') break
    await page.keyboard.press('ArrowDown')
  }
  await page.keyboard.press('Enter')
  await tabTo(page, drawer.getByRole('button', { name: '重试' }))
  await page.keyboard.press('Enter')
  await expect(drawer).toHaveCount(0)

  await expect(page.getByText('1 个节点等人处理')).toBeVisible()
  await page.keyboard.press('F8')
  const box = page.getByRole('region', { name: '需要处理' })
  await tabTo(page, box.getByRole('textbox', { name: '每批台数' }))
  await page.keyboard.type('2')
  await tabTo(page, box.getByRole('button', { name: '同意' }))
  await page.keyboard.press('Enter')
  await expect(page.getByTestId('run-state')).toHaveText('成功')
  await page.keyboard.press('o')
  await expect(page.getByRole('region', { name: '操作记录' }).getByRole('row')).toContainText([
    '操作',
    '回答或回调',
    '重试',
    '启动任务',
  ])
})

test('an approval asks for what it needs, and takes nothing less', async ({ page, request }) => {
  const run = await startedRun(request, await publishedFlow(request, serial(`审批表 ${Date.now()}`, [release])))
  await page.goto(`/p/${project}/runs/${run}?node=ask`)
  const box = page.getByRole('region', { name: '需要处理' })
  await box.getByRole('button', { name: '同意' }).click()
  await expect(box.getByText('必填')).toBeVisible()
  await expect(box.getByText('还有 1 处没有填好。')).toBeVisible()
  await expect(node(page, 'ask')).toHaveAttribute('data-s', 'waiting')
  await box.getByRole('textbox', { name: '每批台数' }).fill('3')
  await box.getByRole('button', { name: '同意' }).click()
  await expect(page.getByTestId('run-state')).toHaveText('成功')
  await page.getByRole('tab', { name: '输出' }).click()
  await expect(page.getByRole('tabpanel')).toContainText('batch')
})

test('an approval can be given once all that it asks for is shown', async ({ page, request }) => {
  const run = await startedRun(request, await publishedFlow(request, serial(`慢表单 ${Date.now()}`, [release])))
  let arrive: () => void = () => undefined
  const arrival = new Promise<void>((resolve) => {
    arrive = resolve
  })
  await page.route(/assets\/schema-form-.*\.js/, async (route) => {
    await arrival
    await route.continue()
  })
  const asked = page.waitForRequest(/assets\/schema-form-.*\.js/)
  await page.goto(`/p/${project}/runs/${run}?node=ask`)
  await asked
  await expect(page.getByRole('button', { name: '强制失败' })).toBeVisible()
  await expect(page.getByRole('button', { name: '同意' })).toHaveCount(0)
  arrive()
  const box = page.getByRole('region', { name: '需要处理' })
  await box.getByRole('button', { name: '同意' }).waitFor()
  expect(await box.getByRole('textbox', { name: '每批台数' }).count()).toBe(1) // it did not come later
})

test('an operator calls back in the place of a system that does not', async ({ page, request }) => {
  const waits = {
    plugin: 'http',
    action: 'call_and_wait',
    name: '等工单',
    inputs: { system: 'demo', operation: 'open_ticket', body: { title: '处理后回调 {callback_url}' } },
  }
  const flow = await publishedFlow(request, around(`回调 ${Date.now()}`, waits))
  await expect(async () => {
    await grantedToo(request, 'http', { system: 'demo', operation: 'open_ticket' })
    const run = await startedRun(request, flow)
    await page.goto(`/p/${project}/runs/${run}?node=task`)
    await expect(node(page, 'task')).toHaveAttribute('data-s', 'waiting', { timeout: 5000 })
  }).toPass()
  const box = page.getByRole('region', { name: '等待回调' })
  const data = box.getByRole('textbox', { name: '回调内容（JSON）' })
  await data.fill('{"done": tru')
  await expect(box.getByRole('button', { name: '代替回调' })).toBeDisabled()
  await data.fill('{"done": true, "by": "值班"}')
  await box.getByRole('button', { name: '代替回调' }).click()
  await expect(page.getByTestId('run-state')).toHaveText('成功')
  await page.getByRole('tab', { name: '输出' }).click()
  await expect(page.getByRole('tabpanel')).toContainText('值班')
})

test('what opens behind a key waits for a server that is away, and the page stays', async ({ page, request }) => {
  const run = await startedRun(request, await publishedFlow(request, serial(`断开 ${Date.now()}`, [late])))
  await page.goto(`/p/${project}/runs/${run}?node=moment`)
  const reason = page.getByRole('region', { name: '失败原因' })
  await expect(reason).toBeVisible()
  let away = true
  await page.route(/\/assets\/actions-|\/healthz/, (route) =>
    away ? route.abort('connectionrefused') : route.continue(),
  )
  const refused = page.waitForEvent('requestfailed', (r) => r.url().endsWith('/healthz'))
  await page.keyboard.press('r')
  await refused
  await expect(reason).toBeVisible()
  away = false
  await expect(page.getByRole('dialog')).toBeVisible()
  await expect(reason).toBeAttached()
})

test('a log is searched while it grows', async ({ page, request }) => {
  const name = `流日志 ${Date.now()}`
  const flow = await publishedFlow(
    request,
    serial(name, [ticket('first', 'A'), { ...release, inputs: { prompt: '继续？' } }, ticket('second', 'B')]),
  )
  const run = await startedRun(request, flow)
  await page.goto(`/p/${project}/runs/${run}`)
  await expect(node(page, 'ask')).toHaveAttribute('data-s', 'waiting')
  await page.keyboard.press('l')
  const log = page.getByRole('log', { name: '日志' })
  await expect(log.getByText('信息')).toHaveCount(1)
  await page.getByRole('textbox', { name: '搜索日志' }).fill('TICKET')
  const found = page.getByRole('status').filter({ hasText: /^\d+\/\d+$/ })
  await expect(found).toHaveText('1/1')

  await request.post(`${api}/runs/${run}/nodes/ask/commands`, {
    data: { command: 'callback', data: { approved: true } },
  })
  await expect(found).toHaveText('1/2')
  await page.keyboard.press('Enter')
  await expect(found).toHaveText('2/2')
  await expect(log.locator('[data-here]')).toHaveCount(1)
  await page.getByRole('combobox', { name: '最低级别' }).click()
  await page.getByRole('option', { name: '警告以上' }).click()
  await expect(log.getByText('信息')).toHaveCount(0)
})

test('a failure sounds one soft tone, if that is wanted', async ({ page, request }) => {
  await page.addInitScript(() => {
    const tones: number[] = []
    const parameter = { setValueAtTime: () => undefined, exponentialRampToValueAtTime: () => undefined }
    class Sound {
      currentTime = 0
      destination = {}
      close = async () => undefined
      createGain = () => ({ gain: parameter, connect: (to: object) => to })
      createOscillator = () => ({
        frequency: { set value(hertz: number) { tones.push(hertz) } }, // biome-ignore format: one line reads best
        connect: (to: object) => to,
        start: () => undefined,
        stop: () => undefined,
      })
    }
    Object.assign(window, { AudioContext: Sound, tones })
  })
  const heard = () => page.evaluate(() => (window as unknown as { tones: number[] }).tones.length)
  const asks = { ...release, inputs: { prompt: '？' } }
  const flow = await publishedFlow(request, serial(`响 ${Date.now()}`, [asks, { ...asks, id: 'again' }]))
  const run = await startedRun(request, flow)
  const reject = (id: string) =>
    request.post(`${api}/runs/${run}/nodes/${id}/commands`, {
      data: { command: 'callback', data: { approved: id === 'ask' } },
    })
  await page.goto(`/p/${project}/runs/${run}`)
  await expect(node(page, 'ask')).toHaveAttribute('data-s', 'waiting')
  await reject('ask')
  await expect(node(page, 'again')).toHaveAttribute('data-s', 'waiting')
  expect(await heard()).toBe(0)
  await page.getByRole('button', { name: '提醒：已关闭' }).click()
  await page.getByRole('switch', { name: '提示音' }).click()
  expect(await heard()).toBe(1) // so that one knows it
  await reject('again')
  await expect(node(page, 'again')).toHaveAttribute('data-s', 'failed')
  await expect.poll(heard).toBe(2)
})

test('on a phone, a person approves what waits on the home page', async ({ browser, request }) => {
  const stamp = Date.now()
  const flow = await publishedFlow(request, serial(`手机 ${stamp}`, [release]))
  await startedRun(request, flow, {}, `手机放行 ${stamp}`)
  const phone = await browser.newContext({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true })
  const page = await phone.newPage()
  await page.goto(`/p/${project}`)
  await page.getByRole('link', { name: `处理 放行，任务 手机放行 ${stamp}` }).tap()
  const box = page.getByRole('region', { name: '需要处理' })
  await box.getByRole('textbox', { name: '每批台数' }).fill('1')
  await box.getByRole('button', { name: '同意' }).tap()
  await expect(page.getByTestId('run-state')).toHaveText('成功')
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390)
  await phone.close()
})
