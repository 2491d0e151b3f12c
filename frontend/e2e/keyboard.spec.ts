import { expect, type Locator, type Page, test } from '@playwright/test'
import { around, node, project, publishedFlow } from './steps'

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
  test.setTimeout(240_000) // every step of the way is a key
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

test('the keys of an input method choose a word, and nothing else', async ({ page, context, request }) => {
  const name = `巡检 ${Date.now()}`
  const flow = await publishedFlow(
    request,
    around(name, { plugin: 'core', action: 'confirm', inputs: { prompt: '?' } }),
  )
  const devtools = await context.newCDPSession(page)
  /** Composes a word in the field, with the keys that an input method takes for itself; then it is written. */
  const compose = async (field: Locator, word: string) => {
    await field.focus()
    const heard = await page.evaluateHandle(() => {
      const keys: string[] = []
      document.addEventListener('keydown', (e) => keys.push(e.key), true)
      return keys
    })
    await devtools.send('Input.imeSetComposition', { text: "xun'jian", selectionStart: 8, selectionEnd: 8 })
    for (const key of ['ArrowDown', 'Escape', 'Enter']) {
      const taken = { key, code: key, windowsVirtualKeyCode: 229 }
      await devtools.send('Input.dispatchKeyEvent', { type: 'rawKeyDown', ...taken })
      await devtools.send('Input.dispatchKeyEvent', { type: 'keyUp', ...taken })
    }
    await expect(field).toBeFocused()
    expect(await heard.jsonValue()).toEqual([])
    await devtools.send('Input.insertText', { text: word })
    await expect(field).toHaveValue(word)
  }

  await page.goto(`/p/${project}/flows`)
  await expect(page.getByRole('heading', { name: '流程' })).toBeVisible()
  await page.keyboard.press('Control+k')
  const palette = page.getByRole('dialog').getByRole('combobox')
  await compose(palette, name)
  await page.keyboard.press('Escape')
  await expect(palette).toHaveCount(0)

  const queries: (string | null)[] = []
  page.on('framenavigated', () => queries.push(new URL(page.url()).searchParams.get('q')))
  await compose(page.getByRole('textbox', { name: '搜索流程' }), name)
  await expect(page).toHaveURL(/q=/)
  expect(queries).toEqual([name])

  await page.getByRole('button', { name: '新建流程' }).click()
  await compose(page.getByRole('dialog').getByRole('textbox', { name: '名称' }), '新的巡检')
  await page.keyboard.press('Escape')
  await expect(page.getByRole('dialog')).toHaveCount(0)

  await page.goto(`/p/${project}/flows/${flow}`)
  await node(page, 'task').click()
  await page.getByRole('tab', { name: '基本' }).click()
  await compose(page.getByRole('textbox', { name: '节点名称' }), '巡检确认')
  await expect(node(page, 'task')).toContainText('巡检确认')
})
