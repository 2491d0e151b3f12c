import { expect, test } from '@playwright/test'
import { accessible } from './axe'
import { around, node, project, publishedFlow } from './steps'

const late = {
  plugin: 'core',
  action: 'wait_until',
  name: { en: 'Deploy', zh: '部署' },
  inputs: { at: '2020-01-01T00:00:00Z', past: 'fail' },
}

test('an operator rehearses a flow before starting it: what happens, and what if a node fails', async ({
  page,
  request,
}) => {
  const flow = await publishedFlow(request, around('试一试', late))
  await page.goto(`/p/${project}/flows/${flow}`)
  await page.getByRole('button', { name: /^运行/ }).first().click()
  await page.getByRole('button', { name: '试运行' }).click()
  await expect(page).toHaveURL(/dry-run\?version=1/)

  const moment = page.getByRole('slider', { name: '时刻' })
  await moment.press('End')
  await expect(page.getByTestId('run-state')).toHaveText('成功')
  await expect(node(page, 'task')).toHaveAttribute('data-s', 'succeeded')
  await moment.press('Home')
  await expect(node(page, 'task')).not.toHaveAttribute('data-s', 'succeeded')

  await node(page, 'task').click()
  await page.getByRole('radio', { name: '失败', exact: true }).check()
  await expect(page.getByRole('button', { name: /^部署: 失败/ })).toBeVisible()
  await moment.press('End')
  await expect(node(page, 'task')).toHaveAttribute('data-s', 'failed')

  await page.getByRole('radio', { name: /有人重试/ }).check()
  await expect(page.getByRole('button', { name: /^部署: 成功.*第 2 次/ })).toBeVisible()
  await moment.press('End')
  await expect(page.getByTestId('run-state')).toHaveText('成功')

  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    await accessible(page)
  }

  const runs = (await (await request.get(`/api/v1/projects/${project}/runs?flow=${flow}`)).json()) as {
    items: unknown[]
  }
  expect(runs.items).toEqual([]) // nothing was started
})

test('on a phone the drawing of a dry run has the room, and one thing at a time is below it', async ({
  page,
  request,
}) => {
  await page.setViewportSize({ width: 390, height: 844 })
  const flow = await publishedFlow(request, around('手机上试', late))
  await page.goto(`/p/${project}/flows/${flow}/dry-run`)
  const bar = page.getByRole('button', { name: /^部署: 成功/ })
  await expect(bar).toBeVisible()
  const room = (await page.getByRole('group', { name: '试运行的流程图' }).boundingBox())?.height ?? 0
  expect(room).toBeGreaterThan(300)
  const start = await node(page, 'start').boundingBox()
  const zoom = await page.locator('.cv-zoom').boundingBox()
  expect((start?.y ?? 0) + (start?.height ?? 0)).toBeLessThan(zoom?.y ?? 0)

  await node(page, 'task').click()
  await expect(bar).toBeHidden()
  await page.getByRole('radio', { name: '失败', exact: true }).check()
  await page.getByText('时间线', { exact: true }).click()
  await expect(page.getByRole('button', { name: /^部署: 失败/ })).toBeVisible()
  await page.getByText('节点', { exact: true }).click()
  await page.getByRole('complementary', { name: '部署' }).getByRole('button', { name: '关闭' }).click()
  await expect(page.getByRole('button', { name: /^部署: 失败/ })).toBeVisible()
})
