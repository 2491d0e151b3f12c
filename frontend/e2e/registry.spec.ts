import { expect, test } from '@playwright/test'
import { accessible } from './axe'
import { granted } from './modules'
import { around, project, publishedFlow } from './steps'

const api = `/api/v1/projects/${project}`

/** An OpenAPI document of two operations; the second edition asks for more. */
function openapi(second = false): string {
  const zone = { name: 'zone', in: 'query', required: true, schema: { type: 'string' } }
  const deep = { name: 'deep', in: 'query', schema: { type: 'boolean' } }
  return JSON.stringify({
    openapi: '3.0.3',
    info: { title: 'Racks', version: second ? '2' : '1' },
    servers: [{ url: 'http://127.0.0.1:9/api' }],
    paths: {
      '/racks': {
        get: {
          operationId: 'listRacks',
          summary: 'List racks',
          parameters: second ? [zone, deep] : [zone],
          responses: { 200: { description: 'ok' } },
        },
      },
      ...(second
        ? {}
        : {
            '/racks/{id}': {
              delete: {
                operationId: 'deleteRack',
                summary: 'Delete a rack',
                parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
                responses: { 204: { description: 'gone' } },
              },
            },
          }),
    },
  })
}

test('an OpenAPI document is imported after its differences were seen, and never widens a grant silently', async ({
  page,
  request,
}) => {
  await page.goto(`/p/${project}/systems`)
  await page.getByRole('button', { name: '导入 OpenAPI' }).click()
  await page.getByText('粘贴', { exact: true }).click()
  await page.getByRole('textbox', { name: '文档内容' }).fill('{"openapi": "2.0"}')
  await page.getByRole('textbox', { name: '系统 ID' }).fill('racks')
  await page.getByRole('button', { name: '查看会改变什么' }).click()
  await expect(page.getByText('这是 OpenAPI 2.0，只能读取 3.0 和 3.1')).toBeVisible()

  await page.getByRole('textbox', { name: '文档内容' }).fill(openapi())
  await page.getByText('只启用只读的').click()
  await page.getByRole('button', { name: '查看会改变什么' }).click()
  const difference = page.getByRole('region', { name: '会改变什么' })
  await expect(difference.getByText('新增 2')).toBeVisible()
  await accessible(page)
  await page.getByRole('button', { name: '导入', exact: true }).click()
  await expect(page).toHaveURL(/systems\/racks$/)
  const needs = [{ system: 'racks', operation: 'list_racks' }]
  await granted(request, { id: 'rack-reader', version: '1.0.0', needs })

  await page.getByRole('link', { name: '导入 OpenAPI' }).click()
  await page.getByText('文件', { exact: true }).click()
  await page
    .locator('input[type=file]')
    .setInputFiles({ name: 'racks.json', mimeType: 'application/json', buffer: Buffer.from(openapi(true)) })
  await page.getByRole('button', { name: '查看会改变什么' }).click()
  await expect(difference.getByText('范围变大 1')).toBeVisible()
  await expect(difference.getByText('将停用').first()).toBeVisible()
  await expect(difference.getByText('parameters/deep')).toBeVisible()
  await page.getByRole('button', { name: '导入', exact: true }).click()
  await expect(page.getByText('1 个操作在更新文档后范围变大，已自动停用')).toBeVisible()
})

test('a system is made by hand; what is wrong is said at its field', async ({ page }) => {
  await page.goto(`/p/${project}/system-new`)
  await page.getByRole('textbox', { name: '系统 ID' }).fill('doors')
  await page.getByRole('textbox', { name: '名称（中文）' }).fill('门禁')
  await page.getByRole('textbox', { name: '基础地址' }).fill('http://user@127.0.0.1:9')
  await page.getByRole('textbox', { name: '操作 ID' }).fill('open_door')
  await page.getByRole('textbox', { name: '名称', exact: true }).fill('开门')
  await page.getByRole('textbox', { name: '路径' }).fill('/doors/{door}/open')
  await page.getByRole('button', { name: '查看会改变什么' }).click()
  await expect(page.getByRole('alert').filter({ hasText: '地址里不能有用户名或密码' }).first()).toBeVisible()
  await page.getByRole('textbox', { name: '基础地址' }).fill('http://127.0.0.1:9')
  await page.getByRole('button', { name: '查看会改变什么' }).click()
  await expect(page.getByText('新增 1')).toBeVisible()
  await accessible(page)
  await page.getByRole('button', { name: '创建' }).click()
  await expect(page.getByRole('heading', { name: '门禁', level: 1 })).toBeVisible()
  await expect(page.getByText('/doors/{door}/open').first()).toBeVisible()
})

test('a system is moved with a warning, taken back to an earlier version, and deleted by its name', async ({
  page,
  request,
}) => {
  const document = {
    format: 'culm.system/v1',
    id: 'moving',
    title: { zh: '搬家系统', en: 'Moving' },
    base_url: 'http://127.0.0.1:9',
    auth: { type: 'bearer' },
    operations: [{ id: 'look', title: 'Look', method: 'GET', path: '/look', retry: 'safe', risk: 'read' }],
  }
  await request.put(`${api}/systems/moving`, { data: document })
  await granted(request, { id: 'mover', version: '1.0.0', needs: [{ system: 'moving', operation: 'look' }] })
  await page.goto(`/p/${project}/systems/moving?tab=settings`)
  await page.getByRole('textbox', { name: '基础地址' }).fill('http://127.0.0.1:8')
  await expect(page.getByText('已设置的凭证立即失效')).toBeVisible()
  await page.getByRole('button', { name: '查看会改变什么' }).click()
  await page.getByRole('button', { name: '保存' }).click()
  await expect(page.getByText('已保存 搬家系统')).toBeVisible()
  await expect(page.getByText('http://127.0.0.1:8').first()).toBeVisible()

  await page.getByRole('tab', { name: '历史' }).click()
  await page.getByRole('button', { name: /版本 1/ }).click()
  await page.getByRole('button', { name: '恢复到这个版本' }).click()
  await page.getByRole('dialog').getByRole('button', { name: '恢复到这个版本' }).click()
  await expect(page.getByText('已恢复到版本 1 的内容')).toBeVisible()
  await expect(page.getByRole('button', { name: /版本 3.*当前/ })).toBeVisible()
  await accessible(page)

  await page.getByRole('tab', { name: '设置' }).click()
  await page.getByRole('button', { name: '删除…' }).click()
  const dialog = page.getByRole('dialog', { name: '删除系统' })
  await dialog.getByRole('textbox').fill('moving')
  await dialog.getByRole('button', { name: '删除系统' }).click()
  await dialog.getByRole('checkbox', { name: '同时收回插件的授权' }).check()
  await dialog.getByRole('button', { name: '删除系统' }).click()
  await expect(page.getByText('已删除 搬家系统')).toBeVisible()
  await expect(page.getByRole('heading', { name: '系统', level: 1 })).toBeVisible()
  await expect(page.getByRole('table')).toBeVisible()
  await expect(page.getByRole('link', { name: '搬家系统' })).toBeHidden()

  // Every step of it has a name among the changes.
  await page.goto(`/p/${project}/audit?kind=admin&system=moving`)
  await expect(page.getByText('删除系统').first()).toBeVisible()
  await expect(page.getByText('保存系统').first()).toBeVisible()
})

test('an operation is added to a system, and deleted after it was said who needs it', async ({ page, request }) => {
  const document = {
    format: 'culm.system/v1',
    id: 'gates',
    title: { zh: '闸机', en: 'Gates' },
    base_url: 'http://127.0.0.1:9',
    auth: { type: 'none' },
    operations: [{ id: 'look', title: 'Look', method: 'GET', path: '/gates', retry: 'safe', risk: 'read' }],
  }
  await request.put(`${api}/systems/gates`, { data: document })
  await page.goto(`/p/${project}/systems/gates`)
  await page.getByRole('button', { name: '新增', exact: true }).click()
  const form = page.getByRole('form', { name: '新增操作' })
  await form.getByRole('textbox', { name: '操作 ID' }).fill('look')
  await form.getByRole('textbox', { name: '名称（中文）' }).fill('开闸')
  await form.getByRole('textbox', { name: '路径' }).fill('/gates/{gate}/open')
  await form.getByRole('button', { name: '查看会改变什么' }).click()
  await expect(form.getByRole('alert').filter({ hasText: '重复' }).first()).toBeVisible()
  await form.getByRole('textbox', { name: '操作 ID' }).fill('open_gate')
  await form.getByRole('button', { name: '查看会改变什么' }).click()
  await expect(form.getByText('新增 1')).toBeVisible()
  await accessible(page)
  await form.getByRole('button', { name: '新增', exact: true }).click()
  await expect(page.getByRole('heading', { name: '开闸' })).toBeVisible()

  const flow = await publishedFlow(
    request,
    around('G1', {
      plugin: 'http',
      action: 'call',
      inputs: { system: 'gates', operation: 'open_gate', params: { gate: '1' } },
    }),
  )
  await granted(request, { id: 'gatekeeper', version: '1.0.0', needs: [{ system: 'gates', operation: 'open_gate' }] })
  await page.reload()
  await page.getByRole('tab', { name: '修改' }).click()
  await page.getByRole('button', { name: '删除操作…' }).click()
  const dialog = page.getByRole('dialog', { name: '删除操作 开闸' })
  await expect(dialog.getByRole('link', { name: 'gatekeeper' })).toBeVisible()
  await expect(dialog.getByText('草稿和最新版本 · 节点 task')).toBeVisible()
  await expect(dialog.locator(`a[href$="/flows/${flow}"]`)).toBeVisible()
  await expect(dialog.getByRole('button', { name: '删除操作' })).toBeDisabled()
  await accessible(page)
  await dialog.getByRole('checkbox').check()
  await dialog.getByRole('button', { name: '删除操作' }).click()
  await expect(dialog).toBeHidden()
  await expect(page.getByRole('heading', { name: 'Look' })).toBeVisible()
  await expect(page.getByRole('button', { name: /开闸/ })).toBeHidden()
})
