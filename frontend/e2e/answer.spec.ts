import { expect, test } from '@playwright/test'
import { around, node, project, publishedFlow, startedRun } from './steps'

const question = { plugin: 'core', action: 'confirm', inputs: { prompt: '可以继续吗？' } }

test('a person answers in the run console, and the flow goes on', async ({ page, request }) => {
  const run = await startedRun(request, await publishedFlow(request, around('人工确认', question)))
  await page.goto(`/p/${project}/runs/${run}`)
  await expect(page.getByText('1 个节点等人处理')).toBeVisible()
  await page.getByRole('button', { name: '去处理' }).first().click()

  const box = page.getByRole('region', { name: '需要处理' })
  await expect(box).toContainText('可以继续吗？')
  await box.getByRole('textbox', { name: '备注' }).fill('已核对')
  await box.getByRole('button', { name: '同意' }).click()

  await expect(node(page, 'task')).toHaveAttribute('data-s', 'succeeded')
  await expect(page.getByTestId('run-state')).toHaveText('成功')
  await page.getByRole('tab', { name: '输出' }).click()
  await expect(page.getByRole('tabpanel')).toContainText('已核对')
})

test('on a phone, a person finds the question and rejects it', async ({ browser, request }) => {
  const run = await startedRun(request, await publishedFlow(request, around('手机确认', question)))
  const phone = await browser.newContext({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true })
  const page = await phone.newPage()
  await page.goto(`/p/${project}/runs/${run}`)
  await page.getByRole('button', { name: '去处理' }).click()
  await page.getByRole('region', { name: '需要处理' }).getByRole('button', { name: '拒绝' }).click()
  await expect(page.getByTestId('run-state')).toHaveText('待处理')
  await expect(page.getByRole('region', { name: '失败原因' })).toContainText('确认人拒绝')
  await phone.close()
})

test('a run is paused, resumed and revoked', async ({ page, request }) => {
  const flow = await publishedFlow(request, around('终止', question))
  const run = await startedRun(request, flow)
  await page.goto(`/p/${project}/runs/${run}`)
  await page.getByRole('button', { name: '暂停' }).click()
  await expect(page.getByTestId('run-state')).toHaveText('已暂停')
  await page.getByRole('button', { name: '继续' }).click()
  await expect(page.getByTestId('run-state')).not.toHaveText('已暂停')
  await page.getByRole('button', { name: '更多任务操作' }).click()
  await page.getByRole('menuitem', { name: '终止' }).click()
  const dialog = page.getByRole('dialog')
  await expect(dialog.getByRole('button', { name: '终止' })).toBeDisabled()
  await dialog.getByRole('textbox', { name: /以确认$/ }).fill(flow)
  await dialog.getByRole('button', { name: '终止' }).click()
  await expect(page.getByTestId('run-state')).toHaveText('已终止')
})
