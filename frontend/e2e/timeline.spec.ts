import { expect, test } from '@playwright/test'
import { accessible } from './axe'
import { around, node, project, publishedFlow, startedRun } from './steps'

const late = {
  plugin: 'core',
  action: 'wait_until',
  name: { en: 'Too late', zh: '太晚了' },
  inputs: { at: '2020-01-01T00:00:00Z', past: 'fail' },
}

for (const scheme of ['light', 'dark'] as const) {
  test(`an operator sees when each node ran and how long a failure stands, ${scheme}`, async ({ page, request }) => {
    await page.emulateMedia({ colorScheme: scheme })
    const run = await startedRun(request, await publishedFlow(request, around('时间线', late)))
    await page.goto(`/p/${project}/runs/${run}`)
    await expect(node(page, 'task')).toHaveAttribute('data-s', 'failed')

    await page.keyboard.press('t')
    const timeline = page.getByRole('region', { name: '时间线' })
    const row = timeline.getByRole('button', { name: /^太晚了: 失败.*运行中 .*失败 / })
    await expect(row).toBeVisible()
    await expect(timeline.getByRole('listitem')).toHaveCount(2)

    await row.click()
    await expect(page).toHaveURL(/node=task/)
    await expect(timeline.getByRole('listitem').nth(1)).toHaveAttribute('data-chosen', 'true')
    await row.press('ArrowUp')
    await expect(page).toHaveURL(/node=start/)

    await accessible(page)

    await page.reload()
    await expect(timeline).toBeVisible() // it is remembered
    await page.keyboard.press('t')
    await expect(timeline).toBeHidden()
  })
}

test('time in which nothing ran is squeezed until one asks for it, and a retry appears as it happens', async ({
  page,
  request,
}) => {
  const run = await startedRun(request, await publishedFlow(request, around('重试', late)))
  await page.goto(`/p/${project}/runs/${run}?node=task`)
  await page.getByRole('button', { name: /^时间线/ }).click()
  const timeline = page.getByRole('region', { name: '时间线' })
  await expect(timeline.getByRole('button', { name: /^太晚了/ })).toBeVisible()

  const squeezed = timeline.getByTitle(/^空闲 /)
  await expect(squeezed.first()).toBeVisible()
  await timeline.getByRole('switch', { name: '压缩空闲时间' }).click()
  await expect(squeezed).toHaveCount(0)
  await timeline.getByRole('switch', { name: '压缩空闲时间' }).click()
  await expect(squeezed.first()).toBeVisible()

  const retried = await request.post(`/api/v1/projects/${project}/runs/${run}/nodes/task/commands`, {
    data: { command: 'retry' },
  })
  expect(retried.status(), await retried.text()).toBe(200)
  await expect(timeline.getByRole('button', { name: /第 2 次/ })).toBeVisible()
})
