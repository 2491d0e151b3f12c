import { readFileSync } from 'node:fs'
import { type APIRequestContext, expect, test } from '@playwright/test'
import { accessible } from './axe'
import { granted } from './modules'
import { project } from './steps'

const api = `/api/v1/projects/${project}`

/** Registers a system of two operations that nothing answers. */
async function registered(
  request: APIRequestContext,
  id: string,
  auth: object = { type: 'none' },
  more: object = {},
): Promise<void> {
  const answer = await request.put(`${api}/systems/${id}`, {
    data: {
      format: 'culm.system/v1',
      id,
      title: { en: `Assets ${id}`, zh: `资产 ${id}` },
      base_url: 'http://127.0.0.1:9',
      auth,
      operations: [
        {
          id: 'find_assets',
          title: { en: 'Find assets', zh: '查找资产' },
          method: 'GET',
          path: '/assets',
          retry: 'safe',
          risk: 'read',
          parameters: [
            { name: 'zone', in: 'query', required: true, doc: { en: 'Where it stands', zh: '所在机房' } },
            { name: 'size', in: 'query', schema: { type: 'integer', minimum: 1, maximum: 100 } },
          ],
        },
        {
          id: 'drop_asset',
          title: { en: 'Drop an asset', zh: '下架资产' },
          method: 'POST',
          path: '/assets/{id}/drop',
          retry: 'never',
          risk: 'destructive',
          parameters: [{ name: 'id', in: 'path', required: true }],
          body: {
            type: 'object',
            required: ['reason'],
            properties: { reason: { type: 'string', maxLength: 200, description: 'Why' } },
          },
        },
      ],
      ...more,
    },
  })
  expect(answer.status(), await answer.text()).toBe(200)
}

test('an operation is found and read, by keyboard', async ({ page, request }) => {
  await registered(request, 'assets-a')
  await page.goto(`/p/${project}/systems`)
  await page.getByRole('textbox', { name: '搜索系统' }).fill('assets-a')
  await expect(page.getByRole('row')).toHaveCount(2)
  await page.getByRole('link', { name: '资产 assets-a' }).press('Enter')
  await page.getByRole('textbox', { name: '搜索操作、路径' }).fill('drop')
  await page.getByRole('navigation', { name: '操作列表' }).getByRole('button').press('Enter')
  const operation = page.getByRole('article', { name: '下架资产' })
  await expect(operation.getByText('破坏性')).toBeVisible()
  await expect(operation.getByRole('row', { name: /reason.*string.*Why.*≤ 200 个字符/ })).toBeVisible()
  await expect(page).toHaveURL(/op=drop_asset/)
  await page.reload()
  await expect(page.getByRole('article', { name: '下架资产' })).toBeVisible()
  await page.getByRole('textbox', { name: '搜索操作、路径' }).fill('nothing like it')
  await expect(page.getByText('没有符合条件的操作')).toBeVisible()
})

test('an operation is tried with its form; a destructive one is confirmed, one that is off is not called', async ({
  page,
  request,
}) => {
  await page.goto(`/p/${project}/systems/demo?op=health`)
  await page.getByRole('tab', { name: '试一试' }).click()
  await page.getByRole('button', { name: '发出调用' }).click()
  await expect(page.getByRole('alert').filter({ hasText: '还没有填写：service' })).toBeVisible()
  await page.getByRole('textbox', { name: 'service' }).fill('checkout')
  await page.getByRole('button', { name: '发出调用' }).press('Enter')
  const answer = page.getByRole('region', { name: '结果' }).first()
  await expect(answer.getByText('HTTP 200')).toBeVisible()
  await accessible(page)
  await answer.getByRole('link', { name: '查看调用记录' }).click()
  await expect(page.getByRole('row', { name: /服务健康状况.*成功 200.*手动调用/ }).first()).toBeVisible()

  await registered(request, 'assets-try')
  await page.goto(`/p/${project}/systems/assets-try?op=drop_asset`)
  await page.getByRole('tab', { name: '试一试' }).click()
  await expect(page.getByRole('button', { name: '发出调用' })).toBeDisabled()
  await page.getByRole('checkbox', { name: /无法恢复/ }).check()
  await page.getByRole('textbox', { name: 'id' }).fill('a-1')
  await page.getByText('JSON', { exact: true }).click()
  await page.getByRole('textbox', { name: '请求体' }).fill('{"reason": ')
  await expect(page.getByText('不是合法的 JSON')).toBeVisible()
  await page.getByRole('textbox', { name: '请求体' }).fill('{"reason": "old"}')
  await page.getByRole('button', { name: '发出调用' }).click()
  await expect(page.getByText('EGRESS_DENIED')).toBeVisible()
  await expect(page.getByRole('checkbox', { name: /无法恢复/ })).not.toBeChecked()

  await page.getByRole('switch', { name: '启用' }).press('Space')
  await expect(page.getByText('管理员停用了这个操作')).toBeVisible()
  await expect(page.getByText('操作已停用，启用后才能调用')).toBeVisible()
  await page.getByText('已停用', { exact: true }).first().click()
  await expect(page).toHaveURL(/show=disabled/)
  await expect(page.getByRole('navigation', { name: '操作列表' }).getByRole('button')).toHaveCount(1)
})

test('a credential is set and never comes back', async ({ page, request }) => {
  await registered(request, 'assets-b', { type: 'basic' })
  await page.goto(`/p/${project}/systems/assets-b?tab=credential`)
  const own = page.getByRole('region', { name: '本项目的凭证' })
  await expect(own.getByText('未设置')).toBeVisible()
  const add = async (button: string, password: string, way?: string) => {
    await own.getByRole('button', { name: button }).click()
    const dialog = page.getByRole('dialog', { name: button })
    await dialog.getByRole('textbox', { name: '用户名' }).fill('robot')
    await dialog.getByLabel(/^密码/).fill(password)
    if (way) {
      await dialog.getByRole('radio', { name: way }).check()
      await accessible(page)
    }
    await dialog.getByRole('button', { name: '保存' }).click()
    await expect(dialog).toBeHidden()
  }
  await add('设置凭证', 'correct-horse-battery')
  await expect(own.getByRole('row', { name: /v1.*使用中/ })).toBeVisible()
  await add('轮换凭证', 'staple-horse-battery', '先备用')
  await expect(own.getByRole('row', { name: /v2.*备用/ })).toBeVisible()

  await own.getByRole('button', { name: '版本 2 的操作' }).press('Enter')
  await page.getByRole('menuitem', { name: '改用这个版本' }).click()
  await expect(own.getByRole('row', { name: /v2.*使用中/ })).toBeVisible()
  await own.getByRole('button', { name: '版本 1 的操作' }).press('Enter')
  await page.getByRole('menuitem', { name: '删除' }).click()
  await page.getByRole('dialog', { name: '删除版本 1' }).getByRole('button', { name: '删除' }).click()
  await expect(own.getByRole('row', { name: /v1/ })).toBeHidden()

  const connection = page.getByRole('region', { name: '测试连接' })
  await connection.getByRole('button', { name: '测试' }).click()
  await expect(connection.getByText('卡在“地址策略”')).toBeVisible()
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    await accessible(page)
    await page.screenshot({ path: test.info().outputPath(`${colorScheme}.png`) })
  }
  await page.reload()
  await expect(own.getByRole('row', { name: /v2.*使用中/ })).toBeVisible()
  expect(await page.content()).not.toContain('horse-battery')
})

test('a secret is made, replaced and deleted, and only its name is shown', async ({ page }) => {
  await page.goto(`/p/${project}/secrets`)
  await page.getByRole('button', { name: '新建密文' }).click()
  const dialog = page.getByRole('dialog', { name: '新建密文' })
  await dialog.getByRole('textbox', { name: '名称' }).fill('1st')
  await expect(dialog.getByText(/以字母开头，.*最多 64 个/)).toBeVisible()
  await dialog.getByRole('textbox', { name: '名称' }).fill('smtp_password')
  await dialog.getByLabel(/^值/).fill('short')
  await dialog.getByRole('button', { name: '保存' }).click()
  await expect(dialog.getByRole('alert')).toContainText('长度须为 6 到 16384 字节')
  await dialog.getByLabel(/^值/).fill('long-enough-to-keep')
  await accessible(page)
  await dialog.getByLabel(/^值/).press('Enter')
  await expect(page.getByRole('row', { name: /smtp_password.*v1/ })).toBeVisible()
  await accessible(page)

  await page.getByRole('button', { name: '密文 smtp_password 的操作' }).press('Enter')
  await page.getByRole('menuitem', { name: '替换值…' }).click()
  const replace = page.getByRole('dialog', { name: '替换 smtp_password 的值' })
  await replace.getByLabel(/^值/).fill('another-value-to-keep')
  await replace.getByRole('button', { name: '保存' }).click()
  await expect(page.getByRole('row', { name: /smtp_password.*v2/ })).toBeVisible()
  expect(await page.content()).not.toContain('to-keep')

  await page.getByRole('button', { name: '密文 smtp_password 的操作' }).click()
  await page.getByRole('menuitem', { name: '删除' }).click()
  await page.getByRole('dialog', { name: '删除 smtp_password' }).getByRole('button', { name: '删除' }).click()
  await expect(page.getByRole('row', { name: /smtp_password/ })).toHaveCount(0)
})

test('what a plugin may call is withdrawn and approved where the system is', async ({ page, request }) => {
  const needs = ['list_hosts', 'open_ticket'].map((operation) => ({ system: 'demo', operation }))
  await granted(request, { id: 'dns-s', version: '1.0.0', needs })
  await page.goto(`/p/${project}/systems/demo?tab=grants`)
  const group = page.getByRole('region', { name: '解析 dns-s', exact: true })
  await group.getByRole('button', { name: '撤回 解析 dns-s 的 查询主机' }).press('Enter')
  await expect(group.getByText('已授权 1 / 2')).toBeVisible()
  await group.getByRole('button', { name: '批准 解析 dns-s 调用 查询主机' }).press('Enter')
  await expect(group.getByText('已授权 2 / 2')).toBeVisible()
})

test('an operation is changed in a form: mistakes are shown at their fields, and what is widened is switched off', async ({
  page,
  request,
}) => {
  await registered(request, 'assets-edit')
  const needs = [{ system: 'assets-edit', operation: 'drop_asset' }]
  await granted(request, { id: 'dropper', version: '1.0.0', needs })
  await page.goto(`/p/${project}/systems/assets-edit?op=drop_asset`)
  await page.getByRole('tab', { name: '修改' }).press('Enter')
  const form = page.getByRole('form', { name: '修改操作' })
  await form.getByRole('textbox', { name: '路径' }).fill('/assets/{id}/x{y}')
  await form.getByRole('textbox', { name: '成功条件（CEL）' }).fill('body.ok == true')
  await form.getByRole('button', { name: '查看会改变什么' }).click()
  await expect(form.getByText(/路径段 .* 既不是普通文字/).first()).toBeVisible()
  await accessible(page)
  await form.getByRole('textbox', { name: '路径' }).fill('/assets/{id}/retire')
  await form.getByRole('button', { name: '查看会改变什么' }).click()
  await expect(form.getByText('范围变大').first()).toBeVisible()
  await form.getByRole('button', { name: '保存' }).click()
  await expect(page.getByText('已保存操作 下架资产')).toBeVisible()
  await expect(page.getByRole('article').getByText('/assets/{id}/retire').first()).toBeVisible()
  await expect(page.getByRole('switch', { name: '启用' })).not.toBeChecked()
  const after = await (await request.get(`${api}/systems/assets-edit/document`)).json()
  expect(after.operations[1]).toMatchObject({
    path: '/assets/{id}/retire',
    success: { rule: 'body.ok == true' },
    body: { required: ['reason'], properties: { reason: { maxLength: 200 } } },
    disabled_by: 'change',
  })
})

for (const scheme of ['light', 'dark'] as const) {
  test(`the pages of systems meet WCAG 2.2 AA, ${scheme}`, async ({ page, request }) => {
    test.slow() // the analysis of each page takes seconds
    await page.emulateMedia({ colorScheme: scheme })
    await registered(request, `assets-${scheme}`, { type: 'bearer' })
    await page.goto(`/p/${project}/systems`)
    await expect(page.getByRole('link', { name: `资产 assets-${scheme}` })).toBeVisible()
    await accessible(page)
    await page.getByRole('link', { name: `资产 assets-${scheme}` }).click()
    await expect(page.getByRole('article', { name: '查找资产' })).toBeVisible()
    await accessible(page)
    await page.getByRole('tab', { name: /^凭证/ }).click()
    await expect(page.getByRole('region', { name: '本项目的凭证' }).getByText('未设置')).toBeVisible()
    await accessible(page)
    await page.getByRole('button', { name: '设置凭证' }).first().click()
    await expect(page.getByLabel(/^令牌/)).toBeVisible()
    await accessible(page)
    await page.goto(`/p/${project}/systems/demo?tab=grants`)
    await expect(page.getByRole('region', { name: '演示运维', exact: true })).toBeVisible()
    await accessible(page)

    await page.setViewportSize({ width: 390, height: 844 })
    await page.goto(`/p/${project}/systems/assets-${scheme}`)
    await expect(page.getByRole('article', { name: '查找资产' })).toBeVisible()
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390)
    await accessible(page)
  })
}

test('errors and absences of systems are said, in English too', async ({ page }) => {
  await page.goto(`/p/${project}/systems/unheard-of`)
  await expect(page.getByText('没有这个系统')).toBeVisible()
  await page.getByRole('button', { name: 'Switch to English' }).click()
  await expect(page.getByText('There is no such system')).toBeVisible()
  await page.getByRole('link', { name: 'Back to the systems' }).click()
  await expect(page.getByRole('heading', { name: 'Systems', level: 1 })).toBeVisible()
  await page.route('**/api/v1/projects/*/systems?*', (route) =>
    route.fulfill({
      status: 503,
      contentType: 'application/problem+json',
      body: '{"title":"","status":503,"code":"UNAVAILABLE"}',
    }),
  )
  await page.reload()
  await expect(page.getByRole('alert')).toContainText('UNAVAILABLE')
})

/** Calls an operation in one's own name, through the API. */
async function called(request: APIRequestContext, system: string, operation: string, params: object): Promise<void> {
  const answer = await request.post(`${api}/systems/${system}/operations/${operation}/call`, { data: { params } })
  expect(answer.status(), await answer.text()).toBe(200)
}

test('a refused call is found by its filters, and says whose fault it is', async ({ page, request }) => {
  await registered(request, 'assets-log')
  await called(request, 'assets-log', 'find_assets', {})
  await called(request, 'demo', 'list_hosts', {})
  await page.goto(`/p/${project}/audit`)
  await expect(page.getByRole('row', { name: /查询主机/ }).first()).toBeVisible()
  await page.getByRole('combobox', { name: '系统' }).click()
  await page.getByRole('option', { name: '资产 assets-log' }).click()
  await page.getByRole('combobox', { name: '结果' }).click()
  await page.getByRole('option', { name: '被拒绝' }).click()
  await expect(page).toHaveURL(/system=assets-log.*outcome=refused|outcome=refused.*system=assets-log/)
  await expect(page.getByRole('row', { name: /查询主机/ })).toHaveCount(0)
  await page.reload()
  const row = page.getByRole('row', { name: /查找资产.*被拒绝/ })
  await expect(row.getByText('手动调用')).toBeVisible()
  await row.getByRole('button', { name: /的详情$/ }).press('Enter')
  await expect(page.getByText('责任方：流程设计')).toBeVisible()
  await accessible(page)
  const download = page.waitForEvent('download')
  await page.getByRole('link', { name: '导出' }).click()
  const lines = readFileSync(await (await download).path(), 'utf8')
    .trim()
    .split('\n')
  expect(lines.map((l) => JSON.parse(l).entry.operation)).toEqual(lines.map(() => 'find_assets'))
  await page.getByRole('button', { name: '清除筛选' }).click()
  await expect(page.getByRole('row', { name: /查询主机/ }).first()).toBeVisible()
  await page.getByText('变更', { exact: true }).click()
  await expect(page).toHaveURL(/kind=admin/)
  await expect(page.getByRole('row', { name: /导出了审计日志/ }).first()).toBeVisible()
  await accessible(page)

  await page.setViewportSize({ width: 390, height: 844 })
  await page.goto(`/p/${project}/audit?system=assets-log`)
  await page.getByRole('button', { name: '筛选 1' }).click()
  await expect(page.getByRole('combobox', { name: '系统' })).toHaveValue('资产 assets-log')
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390)
  await accessible(page)
})

test('a system that fails is left alone, and says so until somebody lets it be called again', async ({
  page,
  request,
}) => {
  await registered(request, 'assets-state', undefined, {
    base_url: `http://${process.env.CULM_E2E_SILENT}`,
    limits: { timeout_ms: 1000, retry: { attempts: 1 }, breaker: { failures: 2, open_ms: 600_000 } },
  })
  await page.goto(`/p/${project}/systems/assets-state?tab=state`)
  await expect(page.getByRole('region', { name: '运行状况' }).getByText('正常放行')).toBeVisible()
  await expect(page.getByRole('region', { name: '限额' }).getByText('1.0 秒').first()).toBeVisible()
  await accessible(page)
  // Both get no answer in their time.
  await Promise.all(['A', 'B'].map((zone) => called(request, 'assets-state', 'find_assets', { zone })))
  await expect(page.getByRole('region', { name: '运行状况' }).getByText('已熔断')).toBeVisible()
  await accessible(page)
  await page.getByRole('button', { name: '立即恢复' }).press('Enter')
  await expect(page.getByRole('region', { name: '运行状况' }).getByText('正常放行')).toBeVisible()
})
