import { expect, test } from '@playwright/test'
import { accessible } from './axe'
import { installed, module } from './modules'
import { around, node, project, publishedFlow, startedRun } from './steps'

const hosts = { system: 'demo', operation: 'list_hosts' }
const tickets = { system: 'demo', operation: 'open_ticket' }

test('a module is looked at, installed, and may do what was ticked', async ({ page }) => {
  await page.goto(`/p/${project}/plugins`)
  await page.getByRole('button', { name: '安装插件' }).click()
  const dialog = page.getByRole('dialog', { name: '安装插件' })
  await dialog
    .locator('input[type=file]')
    .setInputFiles({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('no module') })
  await expect(dialog.getByRole('alert')).toContainText('不是 WebAssembly 模块')
  await dialog.locator('input[type=file]').setInputFiles({
    name: 'dns-a.wasm',
    mimeType: 'application/wasm',
    buffer: module({ id: 'dns-a', version: '1.0.0', needs: [hosts, tickets] }),
  })
  await expect(dialog.getByText('新插件')).toBeVisible()
  await dialog.getByRole('checkbox', { name: 'demo/list_hosts' }).check()
  await accessible(page)
  await dialog.getByRole('button', { name: '安装', exact: true }).click()

  await expect(page.getByRole('heading', { name: '解析 dns-a', level: 1 })).toBeVisible()
  await page.getByRole('tab', { name: /^权限/ }).click()
  const group = page.getByRole('region', { name: /演示运维平台/ })
  await expect(group.getByRole('button', { name: /^撤回/ })).toHaveCount(1)
  await expect(group.getByRole('button', { name: /^批准/ })).toHaveCount(1)
  await group.getByRole('button', { name: /^批准/ }).press('Enter')
  await expect(group.getByText('已授权 2 / 2')).toBeVisible()
  await page.reload()
  await expect(page.getByRole('region', { name: /演示运维平台/ }).getByText('已授权 2 / 2')).toBeVisible()
})

test('what is wrong with a module is said thing by thing, with its place', async ({ page }) => {
  await page.goto(`/p/${project}/plugins`)
  await page.getByRole('button', { name: '安装插件' }).click()
  const dialog = page.getByRole('dialog', { name: '安装插件' })
  const inputs = {
    zone: { type: 'string', title: 'Zone', 'ui:widget': 'knob' },
    ttl: { type: 'integer', 'ui:wigdet': 'number' },
  }
  await dialog.locator('input[type=file]').setInputFiles({
    name: 'dns-w.wasm',
    mimeType: 'application/wasm',
    buffer: module({ id: 'dns-w', version: '1.0.0', inputs }),
  })
  await dialog.getByRole('button', { name: '安装', exact: true }).click()
  const alert = dialog.getByRole('alert')
  await expect(alert).toContainText('插件清单有 2 处错误')
  const wrong = alert.getByRole('listitem')
  await expect(wrong).toHaveText([
    /^\/actions\/0\/inputs\/properties\/ttl\/ui:wigdet表单不支持这个关键字，是不是 ui:widget？$/,
    /^\/actions\/0\/inputs\/properties\/zone\/ui:widget只能是：text, /,
  ])
  await accessible(page)
})

test('a version that asks for more is reviewed; going back is asked for, and a version is blocked', async ({
  page,
  request,
}) => {
  await installed(request, { id: 'dns-b', version: '1.0.0', needs: [hosts] })
  await installed(request, { id: 'dns-b', version: '1.1.0', needs: [hosts, tickets] })
  await page.goto(`/p/${project}/plugins?show=attention`)
  await expect(page.getByRole('row', { name: /解析 dns-b.*1\.1\.0 待审核/ })).toBeVisible()
  await page.getByRole('link', { name: '解析 dns-b' }).click()
  await page.getByRole('button', { name: '审核' }).click()
  const review = page.getByRole('dialog', { name: '审核 1.1.0' })
  await expect(review.getByText('请求新的权限 demo/open_ticket')).toBeVisible()
  await review.getByRole('button', { name: '批准这个版本' }).click()
  await expect(page.getByRole('tab', { name: /^权限 ?2/ })).toBeVisible()

  await page.getByRole('tab', { name: '版本' }).click()
  await page.getByRole('button', { name: '版本 1.0.0 的操作' }).click()
  await page.getByRole('menuitem', { name: '启用这个版本' }).click()
  const back = page.getByRole('dialog', { name: '启用版本 1.0.0' })
  await expect(back.getByText(/可能缺少修复/)).toBeVisible()
  await back.getByRole('textbox', { name: '原因（写入历史）' }).fill('1.1.0 is slow')
  await back.getByRole('button', { name: '启用这个版本' }).click()
  await expect(page.getByRole('row', { name: /1\.0\.0.*使用中/ })).toBeVisible()
  await expect(page.getByRole('region', { name: '历史' }).getByText('1.1.0 is slow')).toBeVisible()

  await page.getByRole('button', { name: '版本 1.0.0 的操作' }).click()
  await page.getByRole('menuitem', { name: '禁用…' }).click()
  await page.getByRole('dialog').getByRole('button', { name: '禁用' }).click()
  await expect(page.getByText('没有可用的版本')).toBeVisible()
})

test('what is switched off is not offered, and refused with its node', async ({ page, request }) => {
  const digest = await installed(request, { id: 'dns-c', version: '1.0.0' })
  const flow = await publishedFlow(request, around('停用', { plugin: 'dns-c', action: 'add', name: '加记录' }))
  await page.goto(`/p/${project}/plugins`)
  await page.getByRole('textbox', { name: '搜索插件和动作' }).fill('dns-c')
  const on = page.getByRole('switch', { name: '在本项目启用 解析 dns-c' })
  await expect(on).toBeChecked()
  await on.press('Space')
  await expect(page.getByRole('row', { name: /解析 dns-c.*已停用/ })).toBeVisible()

  const refused = await request.post(`/api/v1/projects/${project}/flows/${flow}/runs`, { data: { inputs: {} } })
  expect(refused.status()).toBe(422)
  expect(await refused.json()).toMatchObject({
    problems: [{ code: 'PLUGIN_DISABLED', node: 'task', field: '/plugin' }],
  })

  await page.goto(`/p/${project}/flows/${flow}`)
  await expect(node(page, 'task')).toBeVisible()
  const palette = page.getByRole('complementary', { name: '节点库' })
  await expect(palette.getByRole('region', { name: '基础' })).toBeVisible()
  await expect(palette.getByRole('region', { name: '解析 dns-c' })).toHaveCount(0)
  expect(digest).toMatch(/^sha256:/)
})

for (const scheme of ['light', 'dark'] as const) {
  test(`the catalogue tells what a plugin does, and meets WCAG 2.2 AA, ${scheme}`, async ({ page, request }) => {
    test.slow() // the analysis of each page takes seconds
    await page.emulateMedia({ colorScheme: scheme })
    const flow = await publishedFlow(
      request,
      around(`目录 ${scheme}`, {
        plugin: 'core',
        action: 'wait_until',
        inputs: { at: '2020-01-01T00:00:00Z', past: 'fail' },
      }),
    )
    await startedRun(request, flow)

    await page.goto(`/p/${project}/plugins`)
    await expect(page.getByRole('link', { name: '基础', exact: true })).toBeVisible()
    await accessible(page)

    await page.getByRole('link', { name: '基础', exact: true }).click()
    await expect(page.getByRole('region', { name: '输入表单' })).toBeVisible()
    await expect(page.getByRole('region', { name: '输入表单' }).locator('input, textarea').first()).toBeVisible()
    await accessible(page)

    await page.getByRole('tab', { name: '使用' }).click()
    await expect(page.getByRole('link', { name: `目录 ${scheme}` }).first()).toBeVisible()
    await expect(page.getByRole('region', { name: '未结束的任务' }).getByTestId('run-state').first()).toBeVisible()
    await accessible(page)

    await page.getByRole('tab', { name: '健康' }).click()
    await expect(page.getByRole('link', { name: '打开任务' })).toBeVisible()
    await page.getByRole('slider').focus()
    await page.keyboard.press('End')
    await expect(page.getByRole('slider')).toHaveAttribute('aria-valuetext', /次失败/)
    await accessible(page)

    await page.getByRole('tab', { name: '版本' }).click()
    await expect(page.getByRole('row', { name: /使用中/ })).toBeVisible()
    await accessible(page)

    await page.goto(`/p/${project}/plugins/http?tab=access`)
    await expect(page.getByRole('button', { name: /^批准/ }).first()).toBeVisible()
    await accessible(page)

    await page.setViewportSize({ width: 390, height: 844 })
    await page.goto(`/p/${project}/plugins/core?tab=versions`)
    await expect(page.getByRole('tab', { name: '版本' })).toBeInViewport()
    await expect(page.getByRole('button', { name: /^版本 .* 的操作$/ }).first()).toBeInViewport()
    await accessible(page)
  })
}

test('errors and absences are said, in English too', async ({ page }) => {
  await page.goto(`/p/${project}/plugins/unheard-of`)
  await expect(page.getByText('没有安装这个插件')).toBeVisible()
  await page.getByRole('button', { name: 'Switch to English' }).click()
  await expect(page.getByText('This plugin is not installed')).toBeVisible()
  await page.getByRole('link', { name: 'Back to the plugins' }).click()
  await page.getByRole('textbox', { name: 'Search plugins and actions' }).fill('nothing like it')
  await page.getByRole('button', { name: 'Show all plugins' }).click()
  await expect(page.getByRole('link', { name: 'Core', exact: true })).toBeVisible()

  await page.route('**/api/v1/plugins?*', (route) =>
    route.fulfill({
      status: 503,
      contentType: 'application/problem+json',
      body: '{"title":"","status":503,"code":"UNAVAILABLE"}',
    }),
  )
  await page.reload()
  await expect(page.getByRole('alert')).toContainText('UNAVAILABLE')
})
