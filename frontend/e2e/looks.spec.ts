import { expect, type Page, test } from '@playwright/test'
import { accessible } from './axe'
import { around, node, project, publishedFlow, startedRun } from './steps'

const past = {
  plugin: 'core',
  action: 'wait_until',
  name: { en: 'Too late', zh: '太晚了' },
  inputs: { at: '2020-01-01T00:00:00Z', past: 'fail' },
}

for (const scheme of ['light', 'dark'] as const) {
  test(`list, editor and run meet WCAG 2.2 AA, ${scheme}`, async ({ page, request }) => {
    test.slow() // the analysis of each page takes seconds
    await page.emulateMedia({ colorScheme: scheme })
    const flow = await publishedFlow(request, around(`外观 ${scheme}`, past))
    const run = await startedRun(request, flow)

    await page.goto(`/p/${project}/flows`)
    await expect(page.getByRole('link', { name: `外观 ${scheme}`, exact: true }).first()).toBeVisible()
    await accessible(page)

    await page.goto(`/p/${project}/runs`)
    await expect(page.getByTestId('run-state').first()).toBeVisible()
    await accessible(page)

    await page.goto(`/p/${project}/flows/${flow}`)
    await node(page, 'task').click()
    await expect(page.locator('.cm-editor').first()).toBeVisible()
    await accessible(page)
    await page.getByRole('tab', { name: '选项' }).click()
    await page.getByRole('switch', { name: /^自动重试/ }).click()
    await expect(page.getByRole('textbox', { name: '最多重试几次' })).toBeVisible()
    await accessible(page)
    await page.getByRole('button', { name: '撤销', exact: true }).click()
    await page.getByRole('button', { name: '子流程' }).press('Enter')
    await expect(page.getByRole('combobox', { name: '流程' })).toBeVisible()
    await accessible(page)
    await page.getByRole('button', { name: '撤销', exact: true }).click()
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: '变量', exact: true }).click()
    await page.getByRole('button', { name: '添加变量' }).click()
    await accessible(page)

    await page.goto(`/p/${project}/runs/${run}?node=task`)
    await expect(node(page, 'task')).toHaveAttribute('data-s', 'failed')
    await expect(page.getByRole('region', { name: '失败原因' })).toBeVisible()
    await accessible(page)
  })
}

test('language and appearance are switched at once and remembered', async ({ page, request }) => {
  const flow = await publishedFlow(request, around('语言', past))
  await page.goto(`/p/${project}/flows/${flow}`)
  await expect(node(page, 'task')).toContainText('太晚了')
  await expect(page.locator('html')).toHaveAttribute('lang', 'zh')

  await page.getByRole('button', { name: 'Switch to English' }).click()
  await expect(page.locator('html')).toHaveAttribute('lang', 'en')
  await expect(node(page, 'task')).toContainText('Too late')
  await expect(
    page.getByRole('complementary', { name: 'Palette' }).getByRole('button', { name: 'Wait for', exact: true }),
  ).toBeVisible()

  await page.getByRole('button', { name: 'Appearance' }).click()
  await page.getByRole('menuitem', { name: 'Dark' }).click()
  await expect(page.locator('html')).toHaveAttribute('data-mantine-color-scheme', 'dark')

  await page.reload()
  await expect(page.locator('html')).toHaveAttribute('lang', 'en')
  await expect(page.locator('html')).toHaveAttribute('data-mantine-color-scheme', 'dark')
  await expect(node(page, 'task')).toContainText('Too late')
})

test('a flow stays fitted while the page is put together, and where it was moved from then on', async ({
  page,
  request,
}) => {
  const flow = await publishedFlow(request, around('居中', past))
  const run = await startedRun(request, flow)
  await page.goto(`/p/${project}/runs/${run}`)
  await expect(node(page, 'task')).toHaveAttribute('data-s', 'failed')
  await expect.poll(() => offCentre(page)).toBeLessThan(2)

  // A bar or a panel that comes later does what a smaller window does: there is less room for the drawing.
  await page.setViewportSize({ width: 1100, height: 640 })
  await expect.poll(() => offCentre(page)).toBeLessThan(2)

  await page.locator('.react-flow__pane').click({ position: { x: 40, y: 40 } })
  const before = await node(page, 'task').boundingBox()
  await page.setViewportSize({ width: 1100, height: 860 })
  await expect.poll(async () => (await page.locator('.react-flow').boundingBox())?.height).toBeGreaterThan(600)
  expect(await node(page, 'task').boundingBox()).toEqual(before)
})

/** How far the middle of the flow is from that of the canvas, in CSS pixels. */
async function offCentre(page: Page): Promise<number> {
  const [shown, canvas] = [await node(page, 'task').boundingBox(), await page.locator('.react-flow').boundingBox()]
  if (!shown || !canvas) return Number.POSITIVE_INFINITY
  const x = shown.x + shown.width / 2 - canvas.x - canvas.width / 2
  const y = shown.y + shown.height / 2 - canvas.y - canvas.height / 2
  return Math.hypot(x, y)
}
