import { expect, type Page, test } from '@playwright/test'
import { accessible } from './axe'
import { around, node, project, publishedFlow, writeInto } from './steps'

async function opened(page: Page, name: string, inputs: object): Promise<string> {
  const flow = await publishedFlow(page.request, around(name, { plugin: 'http', action: 'call', inputs }))
  await page.goto(`/p/${project}/flows/${flow}`)
  await node(page, 'task').click()
  await expect(page.getByRole('combobox', { name: '接口' })).toBeVisible()
  return flow
}

test('a node that calls an operation shows the fields of that operation', async ({ page }) => {
  const flow = await opened(page, '接口表单', { system: 'demo', operation: 'health', params: { service: 'ledger' } })
  await expect(page.getByText('GET /services/{service}/health')).toBeVisible()
  await expect(page.getByRole('textbox', { name: 'service' })).toHaveText('ledger')

  // Another operation: its own fields; what the last one took is still there, and said to be too much.
  const operation = page.getByRole('combobox', { name: '接口' })
  await operation.focus()
  await operation.press('ControlOrMeta+a')
  await operation.pressSequentially('工单')
  await page.getByRole('option', { name: /创建工单/ }).click()
  await expect(page.getByText('POST /tickets')).toBeVisible()
  await expect(page.getByRole('group', { name: 'params' })).toContainText('"ledger"')
  await page.getByRole('button', { name: 'params：移除这个值' }).click()

  // Every field takes an expression; a list of choices is one.
  await writeInto(page.getByRole('textbox', { name: 'title' }), '磁盘 ${run.id}')
  await page.getByRole('combobox', { name: 'severity' }).click()
  await page.getByRole('option', { name: 'critical' }).click()
  await page.getByRole('button', { name: /^保存/ }).click()
  const draft = async () => {
    const got = await page.request.get(`/api/v1/projects/${project}/flows/${flow}`)
    return (await got.json()) as { document: { nodes: object[] }; problems: unknown[] }
  }
  await expect
    .poll(async () => (await draft()).document.nodes[1])
    .toMatchObject({
      inputs: { system: 'demo', operation: 'open_ticket', body: { title: '磁盘 ${run.id}', severity: 'critical' } },
    })
  expect((await draft()).problems).toEqual([])
  await accessible(page)
})

test('the server holds a node against the operation that it calls', async ({ page }) => {
  const document = around('接口校验', {
    plugin: 'http',
    action: 'call',
    inputs: { system: 'demo', operation: 'open_ticket', body: { severity: 'huge', color: 'red' } },
  })
  const made = await page.request.post(`/api/v1/projects/${project}/flows`, { data: { document } })
  const { id, problems } = (await made.json()) as { id: string; problems: { field: string; code: string }[] }
  expect(problems.map((p) => p.field)).toEqual(['/inputs/body/color', '/inputs/body/severity', '/inputs/body/title'])
  await page.goto(`/p/${project}/flows/${id}`)
  await node(page, 'task').click()
  // A value that is no choice, and one without a field, are shown as they are.
  await expect(page.getByRole('group', { name: 'severity' })).toContainText('"huge"')
  await expect(page.getByRole('group', { name: 'color' })).toContainText('"red"')
})
