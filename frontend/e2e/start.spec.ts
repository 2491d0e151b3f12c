import { expect, test } from '@playwright/test'
import { accessible } from './axe'
import { around, node, project, publishedFlow } from './steps'

const wait = (id: string, more: object = {}) => ({
  id,
  type: 'task',
  plugin: 'core',
  action: 'wait_for',
  inputs: { duration: '10ms' },
  ...more,
})

const flow = (name: string) => ({
  format: 'culm.flow/v1',
  name,
  variables: [
    { name: 'kind', source: 'input', title: '方式', schema: { enum: ['全量', '灰度'] }, value: '全量' },
    {
      name: 'share',
      source: 'input',
      title: '灰度比例',
      schema: { type: 'integer', minimum: 1, maximum: 50 },
      show_if: 'kind == "灰度"',
      required: true,
    },
    { name: 'note', source: 'input', title: '说明', schema: { type: 'string' } },
  ],
  nodes: [
    { id: 'start', type: 'start' },
    wait('check', { name: '检查', optional: true }),
    wait('deploy', { name: '部署' }),
    wait('tell', { name: '通知', optional: true }),
    { id: 'end', type: 'end' },
  ],
  edges: [
    { id: 'e1', from: 'start', to: 'check' },
    { id: 'e2', from: 'check', to: 'deploy' },
    { id: 'e3', from: 'deploy', to: 'tell' },
    { id: 'e4', from: 'tell', to: 'end' },
  ],
  schemes: [
    { id: 'quick', name: '快速', without: ['check', 'tell'] },
    { id: 'quiet', name: '不通知', without: ['tell'] },
  ],
})

test('an operator fills in what the flow asks for, sees what will run, and starts it again as before', async ({
  page,
  request,
}) => {
  const id = await publishedFlow(request, flow(`启动 ${Date.now()}`))
  await page.goto(`/p/${project}/flows/${id}/start`)
  await expect(page.getByRole('status').filter({ hasText: '全部 5 个节点' })).toBeVisible()

  // A field comes with its condition, and must be filled in then.
  await expect(page.getByRole('textbox', { name: '说明' })).toBeVisible()
  await expect(page.getByRole('textbox', { name: '灰度比例' })).toHaveCount(0)
  await page.getByRole('combobox', { name: '方式' }).click()
  await page.getByRole('option', { name: '灰度' }).click()
  await expect(page.getByRole('textbox', { name: '灰度比例' })).toBeVisible()
  await page.getByRole('button', { name: '开始运行' }).click()
  await expect(page).toHaveURL(/\/start/)
  await page.getByRole('textbox', { name: '灰度比例' }).fill('20')
  await page.getByRole('textbox', { name: '说明' }).fill('第一次')

  // Schemes leave out what none of them runs; the drawing follows.
  await page.getByRole('combobox', { name: '执行方案' }).click()
  await page.getByRole('option', { name: '快速', exact: true }).click()
  await expect(page.getByRole('status').filter({ hasText: '执行 3 个节点，略过 2 个' })).toBeVisible()
  await expect(node(page, 'tell')).toHaveCount(0)
  await page.getByRole('option', { name: '不通知', exact: true }).click()
  await page.keyboard.press('Escape')
  await expect(node(page, 'check')).toBeVisible()
  await expect(page.getByRole('checkbox', { name: '通知' })).not.toBeChecked()

  await page.getByRole('button', { name: '开始运行' }).click()
  await page.waitForURL(/\/runs\//)
  await expect(page.getByTestId('run-state')).toHaveText('成功')
  await expect(node(page, 'tell')).toHaveCount(0)

  // The next time begins with what was given.
  await page.goto(`/p/${project}/flows/${id}/start`)
  await page.getByRole('button', { name: '用上次的输入' }).click()
  await expect(page.getByRole('textbox', { name: '灰度比例' })).toHaveValue('20')
  await expect(page.getByRole('textbox', { name: '说明' })).toHaveValue('第一次')
  await page.getByRole('button', { name: '试运行' }).click()
  await expect(page).toHaveURL(/dry-run/)
  await expect(page.getByRole('textbox', { name: '灰度比例' })).toHaveValue('20')
})

test('what an operator chooses decides what he can choose next, as the plugin says', async ({ page, request }) => {
  const from = (name: string, fields: object) => ({ plugin: 'demo', action: 'deploy_service', name, fields })
  const id = await publishedFlow(request, {
    ...around(`级联 ${Date.now()}`, wait('task')),
    variables: [
      { name: 'svc', source: 'input', title: '服务', schema: { type: 'string', 'x-source': from('services', {}) } },
      {
        name: 'targets',
        source: 'input',
        title: '目标主机',
        schema: { type: 'array', items: { type: 'string' }, 'x-source': from('hosts', { service: 'svc' }) },
      },
    ],
  })
  await page.goto(`/p/${project}/flows/${id}/start`)
  await page.getByRole('combobox', { name: '服务' }).click()
  await page.getByRole('option', { name: /^ledger/ }).click()
  await page.getByRole('combobox', { name: '目标主机' }).click()
  await page.getByRole('option', { name: /^ledger-02/ }).click()
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: '开始运行' }).click()
  await page.waitForURL(/\/runs\//)
  await expect(page.getByTestId('run-state')).toHaveText('成功')
})

for (const scheme of ['light', 'dark'] as const) {
  test(`the start page meets WCAG 2.2 AA, ${scheme}`, async ({ page, request }) => {
    test.slow() // the analysis takes seconds
    await page.emulateMedia({ colorScheme: scheme })
    const id = await publishedFlow(request, flow(`启动外观 ${scheme}`))
    await page.goto(`/p/${project}/flows/${id}/start`)
    await expect(page.getByRole('textbox', { name: '说明' })).toBeVisible()
    await expect(node(page, 'deploy')).toBeVisible()
    await accessible(page)
  })
}
