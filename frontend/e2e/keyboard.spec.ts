import { expect, type Locator, type Page, test } from '@playwright/test'
import { project } from './steps'

/** Walks with Tab until the keyboard is there; nobody should have to walk further than this. */
async function walkTo(page: Page, target: Locator, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
  await expect(target).toBeVisible()
  for (let i = 0; i < 90; i++) {
    if (await target.evaluate((e) => e.contains(document.activeElement))) return
    await page.keyboard.press(key)
  }
  throw new Error('the keyboard does not get there')
}

test('a flow is created, drawn, filled in, published and run, and no mouse is touched', async ({ page }) => {
  test.setTimeout(120_000) // every step of the way is a key
  await page.goto(`/p/${project}/flows`)
  await walkTo(page, page.getByRole('button', { name: '新建流程' }))
  await page.keyboard.press('Enter')
  await expect(page.getByRole('dialog').getByRole('textbox', { name: '名称' })).toBeFocused()
  await page.keyboard.type(`只用键盘 ${Date.now()}`)
  await page.keyboard.press('Enter')
  await expect(page.getByText('从这里开始画')).toBeVisible()

  const add = async (word: string, made: string) => {
    await page.keyboard.press('a')
    await expect(page.getByRole('combobox', { name: /添加节点/ })).toBeFocused()
    await page.keyboard.type(word)
    await page.keyboard.press('Enter')
    await expect(page.locator(`.react-flow__node[data-id="${made}"]`)).toBeFocused()
  }
  await add('开始', 'start')
  await add('等待时长', 'wait_for1')
  await add('结束', 'end')
  await expect(page.locator('.react-flow__edge')).toHaveCount(2)

  await page.keyboard.press('Control+f')
  await expect(page.getByRole('combobox', { name: '查找节点' })).toBeFocused()
  await page.keyboard.type('wait_for1')
  await page.keyboard.press('Enter')
  await expect(page.locator('.react-flow__node[data-id="wait_for1"]')).toBeFocused()
  await walkTo(page, page.getByRole('textbox', { name: '时长' }))
  await page.keyboard.type('1s')
  await page.keyboard.press('Tab')
  await expect(page.getByRole('button', { name: '0 个问题' })).toBeVisible()

  await walkTo(page, page.getByRole('button', { name: '发布', exact: true }), 'Shift+Tab')
  await page.keyboard.press('Enter')
  const publish = page.getByRole('dialog', { name: '发布新版本' })
  await expect(publish.getByRole('textbox', { name: '版本说明' })).toBeFocused()
  await page.keyboard.type('第一版')
  await walkTo(page, publish.getByRole('button', { name: '发布', exact: true }))
  await page.keyboard.press('Enter')
  await expect(publish).toHaveCount(0)

  await page.keyboard.press('Control+Enter')
  await page.waitForURL(/\/start/)
  await walkTo(page, page.getByRole('button', { name: '开始运行' }))
  await page.keyboard.press('Enter')
  await page.waitForURL(/\/runs\//)
  await expect(page.getByTestId('run-state')).toHaveText('成功')
})
