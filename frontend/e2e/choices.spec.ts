import { expect, type Page, test } from '@playwright/test'
import { accessible } from './axe'
import { around, node, project, publishedFlow } from './steps'

const options = `**/api/v1/projects/${project}/plugins/demo/options`

async function opened(page: Page, name: string, inputs: object = {}): Promise<void> {
  const task = {
    plugin: 'demo',
    action: 'deploy_service',
    inputs: { service: 'ledger', version: '1', hosts: ['ledger-01'], ...inputs },
  }
  const flow = await publishedFlow(page.request, around(name, task))
  await page.goto(`/p/${project}/flows/${flow}`)
  await node(page, 'task').click()
  await expect(page.getByRole('combobox', { name: '服务' })).toBeVisible()
}

test('a field offers what the plugin finds, and follows the field that it depends on', async ({ page }) => {
  await opened(page, '选项联动')
  const service = page.getByRole('combobox', { name: '服务' })
  const hosts = page.getByRole('combobox', { name: '主机' })
  // What is in the field is shown with its label.
  await expect(service).toHaveValue('ledger (3)')
  await expect(page.getByText('ledger-01 (10.20.4.11, 7.2.0)')).toBeVisible()

  // With keys alone: open, go down, take.
  await service.focus()
  await service.press('ControlOrMeta+a')
  await service.pressSequentially('check')
  await expect(page.getByRole('option', { name: /^checkout \(6\)/ })).toBeVisible()
  await service.press('ArrowDown')
  await service.press('Enter')
  await expect(service).toHaveValue('checkout (6)')

  // The host is one of another service now; nothing was taken away.
  await expect(page.getByText('不在可选项中：ledger-01')).toBeVisible()
  await page.getByRole('button', { name: '移除 ledger-01' }).click()
  await hosts.click()
  await page.getByRole('option', { name: '全选 6 项' }).click()
  await expect(page.getByRole('button', { name: /^移除 checkout-0/ })).toHaveCount(6)
  await page.keyboard.press('Escape')
  await expect(page.getByText('不在可选项中')).toHaveCount(0)
  await accessible(page)
})

test('a field says why it has no choices, and asks again', async ({ page }) => {
  let failing = true
  await page.route(options, async (route) => {
    if (!failing) return route.continue()
    const failure = { code: 'UPSTREAM_TIMEOUT', origin: 'system', message: 'no complete answer in time' }
    await route.fulfill({ json: { choices: [], failure } })
  })
  await opened(page, '选项失败')
  await expect(page.getByText('外部系统响应超时').first()).toBeVisible()
  const service = page.getByRole('combobox', { name: '服务' })
  await service.click()
  failing = false
  await page.getByRole('option', { name: '重新加载' }).click()
  await expect(page.getByRole('option', { name: /^checkout \(6\)/ })).toBeVisible()
})

test('choices that depend on an expression wait for the run; a value can be typed', async ({ page }) => {
  const expression = ['$', '{env.service}'].join('')
  await opened(page, '选项待定').catch(() => undefined)
  await page.getByRole('button', { name: '服务：使用表达式' }).click()
  const editor = page.locator('.cm-content').first()
  await editor.click()
  await editor.pressSequentially(expression)
  await expect(page.getByText(/可选项取决于“服务”/).first()).toBeVisible()
  const hosts = page.getByRole('combobox', { name: '主机' })
  await hosts.fill('web-9')
  await page.getByRole('option', { name: '使用“web-9”' }).click()
  await expect(page.getByRole('button', { name: '移除 web-9' })).toBeVisible()
})

for (const scheme of ['light', 'dark'] as const) {
  test(`the open list meets WCAG 2.2 AA, ${scheme}`, async ({ page }) => {
    test.slow()
    await page.emulateMedia({ colorScheme: scheme })
    await opened(page, `选项外观 ${scheme}`)
    await page.getByRole('combobox', { name: '主机' }).click()
    await expect(page.getByRole('option', { name: /^ledger-02/ })).toBeVisible()
    await accessible(page)
  })
}
