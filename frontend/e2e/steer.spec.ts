import { type APIRequestContext, expect, type Page, test } from '@playwright/test'
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
