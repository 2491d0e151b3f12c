import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, type Locator, request, test } from '@playwright/test'
import { accessible } from './axe'
import { installed } from './modules'
import { launch, type Server, stop } from './server'
import { project } from './steps'

/** A control that is off can be reached by keyboard, tells why, and does nothing. */
async function off(control: Locator, why: RegExp): Promise<void> {
  await expect(control).toBeDisabled()
  await expect(control).toHaveAccessibleDescription(why)
  await control.focus()
  await expect(control).toBeFocused()
  await control.press('Enter')
}

test.describe('a server that was locked', () => {
  test.describe.configure({ mode: 'serial' })
  const dir = mkdtempSync(join(tmpdir(), 'culm-locked-'))
  let server: Server

  test.beforeAll(async () => {
    test.setTimeout(240_000)
    const data = join(dir, 'data')
    server = await launch(data, '127.0.0.1:0')
    const api = await request.newContext({ baseURL: server.url })
    const hosts = { system: 'demo', operation: 'list_hosts' }
    await installed(api, { id: 'dns-l', version: '1.0.0', needs: [hosts] })
    await installed(api, {
      id: 'dns-l',
      version: '1.1.0',
      needs: [hosts, { system: 'demo', operation: 'open_ticket' }],
    })
    await api.dispose()
    await stop(server, 'SIGTERM')
    server = await launch(data, '127.0.0.1:0', '--deny', 'plugin:publish', '--deny', 'plugin:approve')
  })
  test.afterAll(async () => {
    if (server) await stop(server, 'SIGTERM')
    rmSync(dir, { recursive: true, force: true })
  })

  test('shows what is not available, and why', async ({ page }) => {
    const publish = /不允许从这里安装插件（缺少权限 plugin:publish）/
    const approve = /不允许在这里审核、授权、启用或停用插件（缺少权限 plugin:approve）/
    await page.goto(`${server.url}/p/${project}/plugins`)
    await expect(page.getByText(publish)).toBeVisible()
    await expect(page.getByText(approve)).toBeVisible()
    await off(page.getByRole('button', { name: '安装插件' }), publish)
    await expect(page.getByRole('dialog')).toHaveCount(0)
    const on = page.getByRole('switch', { name: '在本项目启用 解析 dns-l' })
    await expect(on).toBeDisabled()
    await expect(on).toHaveAccessibleDescription(approve)
    await accessible(page)

    await page.getByRole('link', { name: '解析 dns-l' }).click()
    await page.getByRole('button', { name: '审核' }).click()
    const review = page.getByRole('dialog', { name: '审核 1.1.0' })
    await off(review.getByRole('button', { name: '批准这个版本' }), approve)
    await off(review.getByRole('button', { name: '拒绝并禁用' }), approve)
    await accessible(page)
    await review.getByRole('button', { name: '稍后再说' }).click()
    await expect(page.getByText('版本 1.1.0 等待审核')).toBeVisible()

    await page.getByRole('tab', { name: /^权限/ }).click()
    await expect(page.getByRole('tabpanel', { name: /^权限/ }).getByText(approve)).toBeVisible()
    await expect(page.getByRole('button', { name: /^批准/ })).toBeDisabled()
    await page.getByRole('tab', { name: '版本' }).click()
    await off(page.getByRole('button', { name: '版本 1.0.0 的操作' }), approve)
    await expect(page.getByRole('menu')).toHaveCount(0)
    await accessible(page)

    await page.goto(`${server.url}/p/${project}/systems/demo?tab=grants`)
    await expect(page.getByText(approve)).toBeVisible()
    for (const grant of await page.getByRole('button', { name: /^(批准|撤回)/ }).all())
      await expect(grant).toBeDisabled()
  })

  test('says it in English, too', async ({ page }) => {
    await page.addInitScript(() => localStorage.setItem('culm.lang', 'en'))
    await page.goto(`${server.url}/p/${project}/plugins`)
    await off(
      page.getByRole('button', { name: 'Install plugin' }),
      /does not let you install plugins here \(right plugin:publish\)/,
    )
    await expect(page.getByText(/does not let you review plugins here, .* \(right plugin:approve\)/)).toBeVisible()
  })
})
