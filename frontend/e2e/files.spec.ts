import { readFile } from 'node:fs/promises'
import { expect, type Page, test } from '@playwright/test'
import { around, type FlowDocument, node, project } from './steps'

/** A draft in the editor, with its source open. */
async function openSource(page: Page, document: FlowDocument): Promise<string> {
  const made = await page.request.post(`/api/v1/projects/${project}/flows`, { data: { document } })
  const { id } = (await made.json()) as { id: string }
  await page.goto(`/p/${project}/flows/${id}`)
  await expect(node(page, 'start')).toBeVisible()
  await page.keyboard.press('y')
  await expect(page.getByRole('textbox', { name: '流程源码' })).toBeFocused()
  return id
}

const wait = (name: string) => around(name, { plugin: 'core', action: 'wait_for', inputs: { duration: '1s' } })

test('an engineer changes a flow as YAML: mistakes are told with their line, and one undo takes it back', async ({
  page,
}) => {
  const id = await openSource(page, wait(`源码 ${Date.now()}`))
  const dialog = page.getByRole('dialog', { name: '流程文件' })
  const source = dialog.getByRole('textbox', { name: '流程源码' })
  await expect(source).toContainText('duration: 1s')
  await expect(dialog.getByRole('status')).toHaveText('与画布一致')

  const written = await downloaded(page, dialog.getByRole('button', { name: '下载' }))

  // A word that the format does not have, then a key twice, each by the line that it stands on.
  await source.press('Control+Home')
  await page.keyboard.type('colour: red\n')
  await expect(dialog.getByRole('button', { name: /没有 colour 这个字段/ })).toContainText('第 1 行')
  await page.keyboard.type('format: culm.flow/v1\n')
  await expect(dialog.getByRole('button', { name: /同一个键写了两次/ })).toContainText('第 3 行')
  await expect(dialog.getByRole('button', { name: '应用到画布' })).toBeDisabled()

  const changed = written
    .replace('duration: 1s', 'duration: 2s')
    .replace('id: task\n', 'id: task\n    name: 歇一会儿\n')
  const open = dialog.locator('input[type=file]')
  await open.setInputFiles({ name: 'flow.yaml', mimeType: 'application/yaml', buffer: Buffer.from(changed) })
  await expect(dialog.getByText('已打开 flow.yaml')).toBeVisible()
  await expect(dialog.getByText('修改 1')).toBeVisible()
  await dialog.getByRole('button', { name: '应用到画布' }).click()
  await expect(node(page, 'task')).toContainText('歇一会儿')
  await expect(page.getByRole('status').filter({ hasText: '已保存' })).toBeVisible()
  const kept = await page.request.get(`/api/v1/projects/${project}/flows/${id}`)
  expect(JSON.stringify(await kept.json())).toContain('"duration":"2s"')

  await page.getByRole('button', { name: '撤销', exact: true }).click()
  await expect(node(page, 'task')).not.toContainText('歇一会儿')
})

async function downloaded(page: Page, button: ReturnType<Page['getByRole']>): Promise<string> {
  const [file] = await Promise.all([page.waitForEvent('download'), button.click()])
  return await readFile(await file.path(), 'utf8')
}

test('YAML and JSON say the same, and what was not applied is not lost unasked', async ({ page }) => {
  await openSource(page, wait(`两种写法 ${Date.now()}`))
  const dialog = page.getByRole('dialog', { name: '流程文件' })
  const yaml = await downloaded(page, dialog.getByRole('button', { name: '下载' }))
  await dialog.getByText('JSON', { exact: true }).click()
  const json = await downloaded(page, dialog.getByRole('button', { name: '下载' }))
  expect(JSON.parse(json)).toMatchObject({ format: 'culm.flow/v1', nodes: [{ id: 'start' }, { id: 'task' }, {}] })
  await dialog.getByText('YAML', { exact: true }).click()
  expect(await downloaded(page, dialog.getByRole('button', { name: '下载' }))).toBe(yaml)

  await dialog.getByRole('textbox', { name: '流程源码' }).click()
  await page.keyboard.press('Control+End')
  await page.keyboard.type('on_failure: fail\n')
  await expect(dialog.getByText('修改 1')).toBeVisible()
  await dialog.getByRole('button', { name: '关闭' }).click()
  await page.getByRole('dialog', { name: '放弃未应用的修改？' }).getByRole('button', { name: '取消' }).click()
  await expect(dialog.getByText('修改 1')).toBeVisible()
})

test('a flow leaves as a picture and as a file, and comes back as another flow', async ({ page }) => {
  const name = `来回 ${Date.now()}`
  const notes = [{ id: 'n1', text: '先问值班', x: 0, y: 160, w: 208, h: 96 }]
  const id = await openSource(page, { ...wait(name), notes })
  const dialog = page.getByRole('dialog', { name: '流程文件' })
  const yaml = await downloaded(page, dialog.getByRole('button', { name: '下载' }))

  await dialog.getByRole('tab', { name: '图片' }).click()
  await expect(dialog.getByRole('img', { name: '图片预览' })).toBeVisible()
  const svg = await downloaded(page, dialog.getByRole('button', { name: '下载图片' }))
  expect(svg).toContain('等待时长')
  expect(svg).toContain('先问值班')
  expect(svg).toContain('fill="#fff3b8"')
  expect(svg.match(/<use /g)).toHaveLength(3)
  expect(svg).not.toMatch(/(href|src)="?https?:/)
  await dialog.getByText('PNG（位图）').click()
  await dialog.getByText('深色', { exact: true }).click()
  const [png] = await Promise.all([
    page.waitForEvent('download'),
    dialog.getByRole('button', { name: '下载图片' }).click(),
  ])
  expect((await readFile(await png.path())).subarray(1, 4).toString()).toBe('PNG')

  await page.goto(`/p/${project}/flows`)
  await page.getByRole('button', { name: '导入', exact: true }).click()
  const form = page.getByRole('dialog', { name: '从文件导入流程' })
  const choose = form.locator('input[type=file]')
  await choose.setInputFiles({
    name: 'sops.json',
    mimeType: 'application/json',
    buffer: Buffer.from('{"pipeline_tree":{}}'),
  })
  await expect(form.getByText('标准运维')).toBeVisible()
  await choose.setInputFiles({ name: 'flow.yaml', mimeType: 'application/yaml', buffer: Buffer.from(yaml) })
  await expect(form.getByRole('status')).toHaveText('3 个节点，2 条连线，0 个变量')
  // The id is that of the flow which is still there.
  await form.getByRole('button', { name: '导入', exact: true }).click()
  await expect(form.getByText('这个 ID 已被占用')).toBeVisible()
  await form.getByRole('textbox', { name: '编号（ID）' }).fill(`${id}-again`)
  await form.getByRole('button', { name: '导入', exact: true }).click()
  await page.waitForURL(new RegExp(`/flows/${id}-again$`))
  await expect(node(page, 'task')).toBeVisible()
})
