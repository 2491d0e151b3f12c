import { expect, test } from '@playwright/test'
import { accessible } from './axe'
import { project, publishedFlow } from './steps'

const wait = (id: string, name: string, more: object = {}) => ({
  id,
  name,
  type: 'task',
  plugin: 'core',
  action: 'wait_until',
  inputs: { at: '2020-01-01T00:00:00Z', past: 'continue' },
  ...more,
})

/** A change with three steps, two of which may be left out. */
const change = () => ({
  format: 'culm.flow/v1',
  name: `变更 ${Date.now()}`,
  nodes: [
    { id: 'start', type: 'start', position: { x: 0, y: 10 } },
    { ...wait('backup', '备份', { optional: true }), position: { x: 112, y: 0 } },
    { ...wait('change', '变更'), position: { x: 392, y: 0 } },
    { ...wait('notify', '通知', { optional: true }), position: { x: 672, y: 0 } },
    { id: 'end', type: 'end', position: { x: 952, y: 10 } },
  ],
  edges: [
    { id: 'e1', from: 'start', to: 'backup' },
    { id: 'e2', from: 'backup', to: 'change' },
    { id: 'e3', from: 'change', to: 'notify' },
    { id: 'e4', from: 'notify', to: 'end' },
  ],
})

test('an author makes a scheme on the drawing, and an operator starts with it', async ({ page }) => {
  const id = await publishedFlow(page.request, change())
  await page.goto(`/p/${project}/flows/${id}`)
  await page.getByRole('button', { name: '执行方案' }).click()
  const panel = page.getByRole('complementary', { name: '属性' })
  await panel.getByRole('button', { name: '新建方案' }).last().click()

  // A click on an optional node says whether it runs; the others do not react.
  const mark = (node: string) => page.locator(`.sch-mark[data-for="${node}"]`)
  await expect(mark('backup')).toHaveAttribute('data-mark', 'in')
  await page.getByTestId('node-backup').click()
  await expect(mark('backup')).toHaveAttribute('data-mark', 'out')
  await expect(mark('backup')).toContainText('跳过')
  await page.getByTestId('node-change').click()
  await expect(mark('change')).toHaveAttribute('data-mark', 'always')
  await expect(panel.getByRole('checkbox', { name: '备份' })).not.toBeChecked()
  await accessible(page)

  await panel.getByRole('button', { name: /^重命名/ }).click()
  await panel.getByRole('textbox', { name: '方案名称' }).fill('快速')
  await page.keyboard.press('Enter')
  await expect(panel.getByRole('button', { name: /^快速/ })).toContainText('执行 1/2')

  // A copy is a scheme of its own; with the keyboard a node is turned on again.
  await panel.getByRole('button', { name: '复制“快速”' }).click()
  await page.locator('.react-flow__node[data-id="backup"]').press('Enter')
  await expect(mark('backup')).toHaveAttribute('data-mark', 'in')
  await panel.getByRole('button', { name: '完成' }).click()
  await expect(mark('backup')).toHaveCount(0)
  await panel.getByRole('button', { name: '删除“快速 副本”' }).click()
  await expect(panel.getByRole('listitem')).toHaveCount(1)

  await page.getByRole('button', { name: '运行', exact: true }).click()
  await page.getByRole('combobox', { name: '执行方案' }).click()
  await page.getByRole('option', { name: '快速' }).click()
  await expect(page.getByRole('checkbox', { name: '备份' })).not.toBeChecked()
  await page.getByRole('button', { name: '开始运行' }).click()
  await page.waitForURL(/\/runs\//)
  await expect(page.getByTestId('run-state')).toHaveText('成功')
  await expect(page.getByTestId('node-backup')).toHaveCount(0)
})

test('a node that goes, or always runs from now on, leaves the schemes, and undo brings it back', async ({ page }) => {
  const id = await publishedFlow(page.request, {
    ...change(),
    schemes: [{ id: 'quick', name: '快速', without: ['backup', 'notify'] }],
  } as never)
  await page.goto(`/p/${project}/flows/${id}`)
  const count = page.getByRole('complementary', { name: '属性' }).getByRole('button', { name: /^快速/ })
  await page.getByTestId('node-notify').click()
  await page.keyboard.press('Delete')
  await page.keyboard.press('s')
  await expect(count).toContainText('执行 0/1')
  await page.keyboard.press('ControlOrMeta+z')
  await expect(count).toContainText('执行 0/2')

  await page.getByTestId('node-backup').click()
  await page.getByRole('tab', { name: '选项' }).click()
  await page.getByRole('switch', { name: /^可选/ }).click()
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: '执行方案' }).click()
  await expect(count).toContainText('执行 0/1')
})
