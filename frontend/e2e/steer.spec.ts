import { type APIRequestContext, expect, type Page, test } from '@playwright/test'
import { grantedToo } from './modules'
import {
  around,
  drop,
  type FlowDocument,
  node,
  project,
  publishedFlow,
  serial,
  showCel,
  startedRun,
  wire,
  writeInto,
} from './steps'

const question = { plugin: 'core', action: 'confirm', inputs: { prompt: '可以继续吗？' } }
const tooLate = { plugin: 'core', action: 'wait_until', inputs: { at: '2020-01-01T00:00:00Z', past: 'fail' } }
const short = { plugin: 'core', action: 'wait_for', inputs: { duration: '100ms' } }

async function openRun(page: Page, request: APIRequestContext, document: FlowDocument, inputs = {}): Promise<void> {
  const run = await startedRun(request, await publishedFlow(request, document), inputs)
  await page.goto(`/p/${project}/runs/${run}`)
}

test('a flow with a subflow and an inclusive gateway is drawn, and runs to its end', async ({ page, request }) => {
  const stamp = Date.now()
  await publishedFlow(request, {
    ...around(`检查 ${stamp}`, { plugin: 'core', action: 'wait_for', inputs: { duration: '${seconds}' } }),
    id: `checks-${stamp}`,
    variables: [{ name: 'seconds', source: 'input', title: '时长变量', schema: { type: 'string' }, required: true }],
  })
  await page.goto(`/p/${project}/flows`)
  await page.getByRole('button', { name: '新建流程' }).first().click()
  await page.getByRole('dialog').getByRole('textbox', { name: '名称' }).fill(`组合 ${stamp}`)
  await page.getByRole('dialog').getByRole('button', { name: '创建' }).click()
  await expect(page.getByText('从这里开始画')).toBeVisible()

  await drop(page, '开始', 60, 300)
  await drop(page, '条件并行', 170, 300)
  await drop(page, '子流程', 300, 180)
  await drop(page, '等待时长', 300, 420)
  await drop(page, '汇聚', 570, 300)
  await drop(page, '结束', 680, 300)
  for (const [from, to] of [
    ['start', 'inclusive1'],
    ['inclusive1', 'subflow1'],
    ['inclusive1', 'wait_for1'],
    ['subflow1', 'join1'],
    ['wait_for1', 'join1'],
    ['join1', 'end'],
  ] as const)
    await wire(page, from, to)
  await expect(page.locator('.react-flow__edge')).toHaveCount(6)

  await node(page, 'subflow1').click()
  await page.getByRole('combobox', { name: '流程' }).fill(`检查 ${stamp}`)
  await page.getByRole('option', { name: `检查 ${stamp}` }).click()
  await expect(page.getByRole('combobox', { name: '版本' })).toHaveValue('最新版本，启动时确定')
  await page.getByRole('tab', { name: '输入' }).click()
  await writeInto(page.getByRole('textbox', { name: '时长变量' }), '100ms')
  await node(page, 'wait_for1').click()
  await writeInto(page.getByRole('textbox', { name: '时长' }), '100ms')

  await node(page, 'inclusive1').click()
  await expect(page.getByRole('tab', { name: '分支' })).toHaveAttribute('aria-selected', 'true')
  await showCel(page)
  const conditions = page.getByRole('textbox', { name: '条件（CEL）' })
  await writeInto(conditions.first(), 'true')
  await writeInto(conditions.last(), 'run.name != ""')
  await expect(page.getByRole('button', { name: '1 个问题' })).toBeVisible() // no default branch: a warning

  await page.getByRole('button', { name: '运行', exact: true }).click()
  await page.getByRole('button', { name: '开始运行' }).click()
  await page.waitForURL(/\/runs\//)
  await expect(page.getByTestId('run-state')).toHaveText('成功')
  await expect(node(page, 'subflow1')).toHaveAttribute('data-s', 'succeeded')
  await expect(node(page, 'wait_for1')).toHaveAttribute('data-s', 'succeeded')

  // What is inside the subflow is in the list, under its path.
  await page.getByTestId('row-subflow1.task').click()
  await expect(page.getByRole('complementary', { name: '等待时长' })).toContainText('subflow1.task')
  await page.getByRole('tab', { name: '输入' }).click()
  await expect(page.getByRole('tabpanel')).toContainText('100ms')
})

test('a failure that is ignored is seen, and the flow goes on', async ({ page, request }) => {
  await openRun(page, request, around(`忽略 ${Date.now()}`, { ...tooLate, ignore_failure: true }))
  await expect(page.getByTestId('run-state')).toHaveText('成功')
  await expect(node(page, 'task')).toHaveAttribute('data-s', 'skipped')
  await node(page, 'task').click()
  await expect(page.getByRole('region', { name: '失败原因' })).toContainText('MOMENT_PASSED')
  await expect(page.getByRole('tabpanel')).toContainText('失败后自动跳过')
})

test('an operator stops the flow before a node, and lets it go on', async ({ page, request }) => {
  await openRun(
    page,
    request,
    serial(`暂停 ${Date.now()}`, [
      { id: 'ask', type: 'task', ...question },
      { id: 'next', type: 'task', ...short },
    ]),
  )
  await page.getByTestId('row-next').click()
  await page.getByRole('button', { name: '在此前暂停' }).click()
  await expect(node(page, 'next').getByRole('img', { name: '到这里会暂停' })).toBeVisible()

  await page.getByTestId('row-ask').click()
  await page.getByRole('region', { name: '需要处理' }).getByRole('button', { name: '同意' }).click()
  await expect(node(page, 'next')).toHaveAttribute('data-s', 'suspended')
  await expect(node(page, 'next').getByRole('img', { name: '到这里会暂停' })).toHaveCount(0)

  await page.getByTestId('row-next').click()
  await page.getByRole('button', { name: '放行' }).click()
  await expect(page.getByTestId('run-state')).toHaveText('成功')
})

test('an operator sees what a rollback undoes, and the flow runs again from there', async ({ page, request }) => {
  await openRun(
    page,
    request,
    serial(`回退 ${Date.now()}`, [
      { id: 'first', type: 'task', ...short },
      { id: 'second', type: 'task', ...short },
      { id: 'last', type: 'task', ...tooLate },
    ]),
  )
  await expect(page.getByTestId('run-state')).toHaveText('待处理')
  await page.getByTestId('row-first').click()
  await page.getByRole('button', { name: '回退到这里' }).click()
  const dialog = page.getByRole('dialog')
  const steps = dialog.getByRole('region', { name: '将要撤销' })
  await expect(steps.getByRole('listitem')).toHaveText([/last/, /second/, /first/])
  await dialog.getByText('撤销', { exact: true }).click()
  await expect(steps).toContainText('插件没有回滚动作，只重置')
  await dialog.getByRole('textbox', { name: '输入 first 以确认' }).fill('first')
  await dialog.getByRole('button', { name: '回退到这里' }).click()
  await expect(dialog).toHaveCount(0)

  await expect(node(page, 'first')).toContainText('第 2 次')
  await expect(page.getByTestId('run-state')).toHaveText('待处理')
  await expect(page.getByTestId('row-last')).toHaveAttribute('data-s', 'failed')
})

test('an operator ends a wait early, makes a node fail by force, and ends the run as failed', async ({
  page,
  request,
}) => {
  const hour = { type: 'task', plugin: 'core', action: 'wait_for', inputs: { duration: '1h' } }
  const flow = serial(`接管 ${Date.now()}`, [
    { id: 'first', ...hour },
    { id: 'second', ...hour },
  ])
  const id = await publishedFlow(request, flow)
  await page.goto(`/p/${project}/runs/${await startedRun(request, id)}?node=first`)
  const operations = page.getByRole('group', { name: '节点操作' })
  const dialog = page.getByRole('dialog')

  // What cannot be done says what it waits for.
  await page.getByRole('button', { name: /^现在不能做的/ }).click()
  const unable = page.getByRole('list', { name: '现在不能做的操作和原因' })
  await expect(unable.getByRole('button', { name: '重试' })).toHaveAccessibleDescription('节点失败后才可以。')
  await expect(unable.getByRole('button', { name: '裁决' })).toHaveAccessibleDescription('只有结果未知的节点需要裁决。')

  await operations.getByRole('button', { name: '改时间' }).click()
  await dialog.getByLabel('新的时间').fill('2024-01-01T00:00:00')
  await dialog.getByRole('button', { name: '改时间' }).click()
  await expect(node(page, 'first')).toHaveAttribute('data-s', 'succeeded')

  await expect(node(page, 'second')).toHaveAttribute('data-s', 'waiting')
  await page.getByTestId('row-second').click()
  await operations.getByRole('button', { name: '强制失败' }).click()
  await expect(dialog.getByRole('button', { name: '强制失败' })).toBeDisabled()
  await dialog.getByRole('textbox', { name: '原因' }).fill('对方系统停机')
  await dialog.getByRole('textbox', { name: '输入 second 以确认' }).fill('second')
  await dialog.getByRole('button', { name: '强制失败' }).click()
  await expect(page.getByRole('region', { name: '失败原因' })).toContainText('FORCED')
  await expect(page.getByRole('region', { name: '失败原因' })).toContainText('对方系统停机')

  await page.getByRole('button', { name: '更多任务操作' }).click()
  await expect(page.getByRole('menuitem', { name: /^继续/ })).toContainText('任务没有暂停。')
  await page.getByRole('menuitem', { name: '判为失败' }).click()
  await dialog.getByRole('textbox', { name: /以确认$/ }).fill(id)
  await dialog.getByRole('button', { name: '判为失败' }).click()
  await expect(page.getByTestId('run-state')).toHaveText('失败')
})

test('an operator decides about a call whose end nobody knows, and copies what it is said to have given', async ({
  page,
  request,
  context,
}) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  const api = `/api/v1/projects/${project}`
  const silent = `http://${process.env.CULM_E2E_SILENT}`
  const made = await request.put(`${api}/systems/silent`, {
    data: {
      format: 'culm.system/v1',
      id: 'silent',
      title: { en: 'Silent', zh: '沉默' },
      base_url: silent,
      auth: { type: 'none' },
      operations: [
        { id: 'order', title: { en: 'Order', zh: '下单' }, method: 'POST', path: '/', retry: 'never', risk: 'write' },
      ],
    },
  })
  expect(made.status(), await made.text()).toBe(200)
  const call = { plugin: 'http', action: 'call', name: '下单', inputs: { system: 'silent', operation: 'order' } }
  const flow = await publishedFlow(request, around(`下单 ${Date.now()}`, call))
  const task = node(page, 'task')
  await expect(async () => {
    await grantedToo(request, 'http', { system: 'silent', operation: 'order' })
    await page.goto(`/p/${project}/runs/${await startedRun(request, flow)}?node=task`)
    await expect(task).toHaveAttribute('data-s', 'running', { timeout: 5000 })
  }).toPass()

  // What runs moves on the drawing, but not for who asked for reduced motion.
  const moving = () => page.evaluate(() => document.getAnimations().filter((a) => a.playState === 'running').length)
  expect(await moving()).toBe(0)
  await page.emulateMedia({ reducedMotion: 'no-preference' })
  await expect.poll(moving).toBeGreaterThan(0)
  await page.emulateMedia({ reducedMotion: 'reduce' })
  await expect.poll(moving).toBe(0)

  // The order went out, and the connection breaks before an answer.
  await fetch(`${silent}/hang-up`).catch(() => undefined)
  await expect(task).toHaveAttribute('data-s', 'unknown')
  await page.getByRole('group', { name: '节点操作' }).getByRole('button', { name: '裁决' }).click()
  const dialog = page.getByRole('dialog')
  await expect(dialog).toContainText('先到外部系统确认实际结果')
  await dialog.getByRole('textbox', { name: '状态码' }).fill('201')
  await dialog.getByRole('button', { name: '裁决' }).click()
  await expect(page.getByTestId('run-state')).toHaveText('成功')

  await page.getByRole('tab', { name: '输出' }).click()
  await page.getByRole('button', { name: /^复制 .*status 的值$/ }).click()
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('201')
})
