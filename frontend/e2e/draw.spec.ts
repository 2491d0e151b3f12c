import { expect, test } from '@playwright/test'
import { drop, node, project, showCel, wire, writeInto } from './steps'

test('an operator draws a flow, starts it, sees it fail live, and retries with another input', async ({ page }) => {
  await page.goto(`/p/${project}/flows`)
  await page.getByRole('button', { name: '新建流程' }).first().click()
  const name = `三个节点 ${Date.now()}`
  await page.getByRole('dialog').getByRole('textbox', { name: '名称' }).fill(name)
  await page.getByRole('dialog').getByRole('button', { name: '创建' }).click()
  await expect(page.getByText('从这里开始画')).toBeVisible()

  // From an empty canvas: three nodes by drag and drop, two lines by their handles.
  await drop(page, '开始', 120, 300)
  await drop(page, '等待至', 330, 300)
  await drop(page, '结束', 560, 300)
  await expect(page.locator('.react-flow__node')).toHaveCount(3)
  await wire(page, 'start', 'wait_until1')
  await wire(page, 'wait_until1', 'end')
  await expect(page.locator('.react-flow__edge')).toHaveCount(2)

  // The missing input is marked at the node before anything is saved.
  await expect(node(page, 'wait_until1').getByRole('img', { name: '错误' })).toBeVisible()
  await node(page, 'wait_until1').click()
  await writeInto(page.getByRole('textbox', { name: '时刻' }), '2020-01-01T00:00:00Z')
  await page.getByRole('button', { name: '更多', exact: true }).click()
  await page.getByRole('combobox', { name: '已过时' }).click()
  await page.getByRole('option', { name: '失败' }).click()
  await expect(node(page, 'wait_until1').getByRole('img', { name: '错误' })).toHaveCount(0)
  await page.getByRole('button', { name: '保存' }).click()
  await expect(page.getByRole('status').filter({ hasText: '已保存' })).toBeVisible()

  await page.getByRole('button', { name: '运行', exact: true }).click()
  await page.getByRole('button', { name: '开始运行' }).click()
  await page.waitForURL(/\/runs\//)
  // From here on nothing may load the page again: what changes comes over the stream.
  await page.evaluate(() => Object.assign(window, { sameDocument: true }))

  const task = node(page, 'wait_until1')
  await expect(task).toHaveAttribute('data-s', 'failed')
  await expect(page.getByTestId('run-state')).toHaveText('待处理')
  await page.keyboard.press('F8')
  const failure = page.getByRole('region', { name: '失败原因' })
  await expect(failure).toContainText('指定时刻已经过去')
  await expect(failure).toContainText('MOMENT_PASSED')
  await expect(failure).toContainText('插件')

  await page.getByRole('group', { name: '节点操作' }).getByRole('button', { name: '重试' }).click()
  const drawer = page.getByRole('dialog')
  await drawer.getByRole('combobox', { name: '已过时' }).click()
  await page.getByRole('option', { name: '立即继续' }).click()
  await drawer.getByRole('button', { name: '重试' }).click()

  await expect(task).toHaveAttribute('data-s', 'succeeded')
  await expect(page.getByTestId('run-state')).toHaveText('成功')
  await expect(task).toContainText('第 2 次')
  await page.getByRole('tab', { name: '执行记录' }).click()
  await expect(page.locator('.rn-history > li')).toHaveCount(2)
  expect(await page.evaluate(() => 'sameDocument' in window)).toBe(true)
})

test('illegal connections are refused with the reason, and undo takes back whole gestures', async ({ page }) => {
  await page.goto(`/p/${project}/flows`)
  await page.getByRole('button', { name: '新建流程' }).first().click()
  await page.getByRole('dialog').getByRole('textbox', { name: '名称' }).fill(`回退 ${Date.now()}`)
  await page.getByRole('dialog').getByRole('button', { name: '创建' }).click()
  await page.getByRole('button', { name: '添加开始和结束' }).click()
  await expect(page.locator('.react-flow__node')).toHaveCount(2)

  await wire(page, 'start', 'end')
  await expect(page.getByText('开始不能直接连到结束')).toBeVisible()
  await expect(page.locator('.react-flow__edge')).toHaveCount(0)

  // By keyboard: Enter adds what the palette names.
  await page.getByRole('textbox', { name: '搜索节点和插件' }).fill('等待时长')
  await page.getByRole('button', { name: '等待时长' }).press('Enter')
  await expect(node(page, 'wait_for1')).toBeVisible()
  await writeInto(page.getByRole('textbox', { name: '时长' }), '90s')

  await page.getByRole('button', { name: '撤销', exact: true }).click()
  await expect(page.getByRole('textbox', { name: '时长' })).not.toHaveText('90s')
  await page.getByRole('button', { name: '撤销', exact: true }).click()
  await expect(node(page, 'wait_for1')).toHaveCount(0)
  await page.getByRole('button', { name: '重做' }).click()
  await page.getByRole('button', { name: '重做' }).click()
  await node(page, 'wait_for1').click()
  await expect(page.getByRole('textbox', { name: '时长' })).toHaveText('90s')
})

test('every problem leads to its place, and conditions are written on branches', async ({ page, request }) => {
  const made = await request.post(`/api/v1/projects/${project}/flows`, {
    data: {
      document: {
        format: 'culm.flow/v1',
        name: `问题 ${Date.now()}`,
        variables: [{ name: 'count', source: 'input', schema: { type: 'integer' }, value: 2 }],
        nodes: [
          { id: 'start', type: 'start' },
          { id: 'way', type: 'exclusive' },
          { id: 'pause', type: 'task', plugin: 'core', action: 'wait_for' },
          { id: 'end', type: 'end' },
        ],
        edges: [
          { id: 'e1', from: 'start', to: 'way' },
          { id: 'e2', from: 'way', to: 'pause' },
          { id: 'e3', from: 'way', to: 'end', default: true },
          { id: 'e4', from: 'pause', to: 'end' },
        ],
      },
    },
  })
  const { id } = (await made.json()) as { id: string }
  await page.goto(`/p/${project}/flows/${id}`)
  await page.getByRole('button', { name: '2 个问题' }).click()
  await page.getByRole('button', { name: /缺少输入 duration/ }).click()
  await expect(page.getByRole('textbox', { name: '时长' })).toBeFocused()
  await writeInto(page.getByRole('textbox', { name: '时长' }), '1s')

  await page.getByRole('button', { name: '1 个问题' }).click()
  await page.getByRole('button', { name: /分支缺少条件/ }).click()
  await showCel(page)
  const condition = page.getByRole('textbox', { name: '条件（CEL）' })
  await condition.click()
  await condition.pressSequentially('cou')
  await page.getByRole('option', { name: /count/ }).click()
  await condition.pressSequentially(' > 1')
  await expect(condition).toHaveText('count > 1')
  await expect(page.getByRole('button', { name: '0 个问题' })).toBeVisible()
  await expect(page.locator('.ed-label', { hasText: 'count > 1' })).toBeVisible()
})
