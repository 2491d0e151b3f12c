import { type APIRequestContext, expect, type Page, test } from '@playwright/test'
import { accessible } from './axe'
import { around, project, publishedFlow } from './steps'

const api = `/api/v1/projects/${project}`

const asking = (prompt: string) => ({ plugin: 'core', action: 'confirm', name: '值班审批', inputs: { prompt } })
const late = { plugin: 'core', action: 'wait_until', inputs: { at: '2020-01-01T00:00:00Z', past: 'fail' } }
const long = { plugin: 'core', action: 'wait_for', inputs: { duration: '2h' } }

async function named(request: APIRequestContext, flow: string, name: string): Promise<string> {
  const run = await request.post(`${api}/flows/${flow}/runs`, { data: { name } })
  expect(run.status(), await run.text()).toBe(201)
  return ((await run.json()) as { id: string }).id
}

const part = (page: Page, name: string) => page.getByRole('region', { name })

test('an operator sees on the home page what waits for him, what failed and what runs, as it happens', async ({
  page,
  request,
}) => {
  const stamp = Date.now()
  await page.goto('/')
  await expect(page).toHaveURL(new RegExp(`/p/${project}$`))
  await page.evaluate(() => Object.assign(window, { sameDocument: true }))

  const prompt = `放行 ${stamp}？`
  const run = await named(
    request,
    await publishedFlow(request, around(`审批 ${stamp}`, asking(prompt))),
    `上线 ${stamp}`,
  )
  await named(request, await publishedFlow(request, around(`迟到 ${stamp}`, late)), `夜间 ${stamp}`)
  await expect(part(page, '等我处理').getByRole('link', { name: `处理 值班审批，任务 上线 ${stamp}` })).toContainText(
    prompt,
  )
  const failed = part(page, '失败待处理').getByRole('link', { name: new RegExp(`任务 夜间 ${stamp}`) })
  await expect(failed).toContainText('指定时刻已经过去')
  await expect(part(page, '进行中').getByRole('link', { name: new RegExp(`上线 ${stamp}`) })).toBeVisible()

  const answered = await request.post(`${api}/runs/${run}/nodes/task/commands`, {
    data: { command: 'callback', data: { approved: true } },
  })
  expect(answered.status(), await answered.text()).toBe(200)
  await expect(page.getByRole('link', { name: new RegExp(`任务 上线 ${stamp}`) })).toHaveCount(0)
  expect(await page.evaluate(() => 'sameDocument' in window)).toBe(true)

  await failed.click()
  await expect(page).toHaveURL(/\/runs\/.*node=task/)
  await expect(page.getByRole('region', { name: '失败原因' })).toContainText('MOMENT_PASSED')
})

test('a run with many failures does not hide the others, and what is not shown is one press away', async ({
  page,
  request,
}) => {
  const stamp = Date.now()
  const branches = Array.from({ length: 9 }, (_, i) => `b${i}`)
  const wide = await publishedFlow(request, {
    format: 'culm.flow/v1',
    name: `并行 ${stamp}`,
    nodes: [
      { id: 'start', type: 'start' },
      { id: 'fork', type: 'parallel' },
      ...branches.map((id) => ({ id, type: 'task', ...late })),
      { id: 'join', type: 'join' },
      { id: 'end', type: 'end' },
    ],
    edges: [
      { id: 'e1', from: 'start', to: 'fork' },
      ...branches.flatMap((id) => [
        { id: `to_${id}`, from: 'fork', to: id },
        { id: `of_${id}`, from: id, to: 'join' },
      ]),
      { id: 'e2', from: 'join', to: 'end' },
    ],
  })
  const questions = await publishedFlow(request, around(`多问 ${stamp}`, asking('？')))
  await named(request, await publishedFlow(request, around(`单点 ${stamp}`, late)), `单点 ${stamp}`)
  await named(request, wide, `九处 ${stamp}`)
  for (let i = 0; i < 9; i++) await named(request, questions, `第 ${i} 问 ${stamp}`)

  await page.goto(`/p/${project}`)
  const failed = part(page, '失败待处理')
  await expect(failed.getByRole('link', { name: new RegExp(`任务 九处 ${stamp}`) })).toContainText('还有 8 个节点')
  await expect(failed.getByRole('link', { name: new RegExp(`任务 单点 ${stamp}`) })).toBeVisible()
  const answers = part(page, '等我处理')
  await expect(answers.getByRole('listitem')).toHaveCount(9)
  await answers.getByRole('button', { name: /显示另外 \d+ 项/ }).click()
  for (let i = 0; i < 9; i++)
    await expect(answers.getByRole('link', { name: new RegExp(`任务 第 ${i} 问 ${stamp}`) })).toBeVisible()
})

test('runs are found by filters that the address keeps, and the filters are saved for everybody', async ({
  page,
  request,
}) => {
  const stamp = Date.now()
  await named(request, await publishedFlow(request, around(`长 ${stamp}`, long)), `等待 ${stamp}`)
  await named(request, await publishedFlow(request, around(`败 ${stamp}`, late)), `失败 ${stamp}`)
  await page.goto(`/p/${project}/runs`)
  await expect(page.getByRole('table', { name: '任务' })).toBeVisible()
  await page.keyboard.press('/')
  await page.keyboard.type(String(stamp))
  await expect(page).toHaveURL(new RegExp(`q=.*${stamp}`))
  await expect(page.getByRole('link', { name: `等待 ${stamp}` })).toBeVisible()
  await page.getByRole('group', { name: '按状态筛选' }).getByRole('button', { name: '待处理' }).click()
  await expect(page).toHaveURL(/state=blocked/)
  await expect(page.getByRole('link', { name: `失败 ${stamp}` })).toBeVisible()
  await expect(page.getByRole('link', { name: `等待 ${stamp}` })).toHaveCount(0)

  await page.getByRole('button', { name: '视图', exact: true }).click()
  await page.getByRole('menuitem', { name: '把当前筛选存为视图' }).click()
  await page.getByRole('textbox', { name: '视图名称' }).fill(`我的 ${stamp}`)
  await page.getByRole('button', { name: '保存' }).click()
  await expect(page.getByRole('button', { name: `视图：我的 ${stamp}` })).toBeVisible()

  // Another browser opens the list and takes the view.
  await page.goto(`/p/${project}/runs`)
  await page.getByRole('button', { name: '视图', exact: true }).click()
  await page.getByRole('menuitem', { name: `我的 ${stamp}`, exact: true }).click()
  await expect(page).toHaveURL(new RegExp(`q=.*${stamp}`))
  await expect(page.getByRole('link', { name: `失败 ${stamp}` })).toBeVisible()

  await page.getByRole('button', { name: '列', exact: true }).click()
  await page.getByRole('checkbox', { name: '编号', exact: true }).check()
  await page.keyboard.press('Escape')
  await expect(page.getByRole('columnheader', { name: '编号' })).toBeVisible()
  await page.goBack()
  await expect(page.getByRole('columnheader', { name: '执行人' })).toBeVisible()
})

test('a list whose connection broke catches up by itself', async ({ page, request }) => {
  const stamp = Date.now()
  const connections: { close(options: { code: number }): Promise<void> }[] = []
  await page.routeWebSocket(/\/changes$/, (ws) => {
    ws.connectToServer()
    connections.push(ws)
  })
  const flow = await publishedFlow(request, around(`断线 ${stamp}`, long))
  await page.goto(`/p/${project}/runs?flow=${flow}`)
  await expect(page.getByText('没有符合条件的项')).toBeVisible()
  await expect.poll(() => connections.length).toBe(1)
  await connections[0]?.close({ code: 4000 })
  const run = await named(request, flow, `补上 ${stamp}`)
  await expect(page.getByRole('link', { name: `补上 ${stamp}` })).toBeVisible()
  await expect.poll(() => connections.length).toBe(2)
  await request.post(`${api}/runs/${run}/commands`, { data: { command: 'pause' } })
  await expect(page.getByTestId('run-state')).toHaveText('已暂停')
})

test('with keys alone an operator ends several runs, and is told of each', async ({ page, request }) => {
  const stamp = Date.now()
  const flow = await publishedFlow(request, around(`批量 ${stamp}`, long))
  for (const n of [1, 2, 3]) await named(request, flow, `批量 ${stamp} ${n}`)
  await page.goto(`/p/${project}/runs?flow=${flow}`)
  await expect(page.getByRole('link', { name: `批量 ${stamp} 3` })).toBeVisible()
  // The newest is the first: take it and the next one.
  await page.keyboard.press('j')
  await expect(page.getByRole('link', { name: `批量 ${stamp} 3` })).toBeFocused()
  await page.keyboard.press('x')
  await page.keyboard.press('j')
  await page.keyboard.press('x')
  const bar = page.getByRole('region', { name: '批量操作' })
  await expect(bar).toContainText('已选 2 项')
  // One of them ends before he gets there.
  const taken = await request.get(`${api}/runs?flow=${flow}`)
  const newest = ((await taken.json()) as { items: { id: string }[] }).items[0]?.id
  await request.post(`${api}/runs/${newest}/commands`, { data: { command: 'revoke' } })

  await bar.getByRole('button', { name: '终止' }).click()
  const dialog = page.getByRole('dialog')
  await expect(dialog.getByRole('button', { name: '执行' })).toBeDisabled()
  await dialog.getByRole('textbox', { name: '确认数量' }).fill('2')
  await dialog.getByRole('textbox', { name: '确认数量' }).press('Enter')
  await expect(dialog.getByRole('status')).toHaveText('完成 1，被拒绝 1，共 2 项')
  await expect(dialog.getByRole('listitem').filter({ hasText: `${stamp} 2` })).toContainText('完成')
  await dialog.getByRole('button', { name: '完成' }).click()
  await expect(page.getByTestId('run-state').filter({ hasText: '已终止' })).toHaveCount(2)
  await page.keyboard.press('Escape')
  await expect(bar).toHaveCount(0)
  await page.keyboard.press('k')
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(/\/runs\/[0-9a-f-]+/)
})

test('a few letters lead to a flow, a page or a command', async ({ page, request }) => {
  const stamp = Date.now()
  await publishedFlow(request, around(`直达 ${stamp}`, long))
  await page.goto(`/p/${project}/runs`)
  await expect(page.getByRole('heading', { name: '任务' })).toBeVisible()
  await page.keyboard.press('ControlOrMeta+k')
  const field = page.getByRole('combobox', { name: '搜索与命令' })
  await field.fill(`直达 ${stamp}`)
  await expect(page.getByRole('option', { name: `直达 ${stamp}` }).first()).toHaveAttribute('aria-selected', 'true')
  await field.press('Enter')
  await expect(page).toHaveURL(/\/flows\/[^/]+$/)

  await page.keyboard.press('ControlOrMeta+k')
  await field.fill('审计')
  await field.press('Enter')
  await expect(page).toHaveURL(/\/audit/)

  await page.keyboard.press('ControlOrMeta+k')
  // Flows come first, and other stories have flows with "dark" in their name.
  await field.fill('dark theme')
  await field.press('Enter')
  await expect(page.locator('html')).toHaveAttribute('data-mantine-color-scheme', 'dark')
})

test('letters typed while the palette is on its way belong to it, and press no key of the page', async ({ page }) => {
  let arrive: () => void = () => undefined
  const arrival = new Promise<void>((resolve) => {
    arrive = resolve
  })
  await page.route(/assets\/palette-.*\.js/, async (route) => {
    await arrival
    await route.continue()
  })
  await page.goto(`/p/${project}/runs`)
  await expect(page.getByRole('heading', { name: '任务' })).toBeVisible()
  await page.keyboard.press('ControlOrMeta+k')
  await page.keyboard.type('x/j')
  await expect(page.getByRole('textbox', { name: '搜索任务名称、编号或流程' })).not.toBeFocused()
  await expect(page.getByRole('toolbar', { name: '批量操作' })).toHaveCount(0)
  arrive()
  const field = page.getByRole('combobox', { name: '搜索与命令' })
  await expect(field).toHaveValue('x/j')
  await expect(field).toBeFocused()

  // Nothing is fetched the next time: what is typed at once and what is typed later are one word.
  await page.keyboard.press('Escape')
  await expect(field).toHaveCount(0)
  await page.keyboard.press('ControlOrMeta+k')
  await page.keyboard.type('led')
  await expect(field).toBeFocused()
  await page.keyboard.type('ger')
  await expect(field).toHaveValue('ledger')
})

for (const scheme of ['light', 'dark'] as const) {
  test(`home, lists and palette meet WCAG 2.2 AA, ${scheme}`, async ({ page, request }) => {
    test.slow() // the analysis of each page takes seconds
    await page.emulateMedia({ colorScheme: scheme })
    await named(request, await publishedFlow(request, around(`色 ${scheme}`, late)), `色 ${scheme}`)
    await named(request, await publishedFlow(request, around(`问 ${scheme}`, asking('？'))), `问 ${scheme}`)
    await page.goto(`/p/${project}`)
    await expect(page.getByRole('link', { name: new RegExp(`任务 问 ${scheme}`) })).toBeVisible()
    await accessible(page)
    await page.keyboard.press('ControlOrMeta+k')
    await expect(page.getByRole('option').first()).toBeVisible()
    await accessible(page)

    await page.goto(`/p/${project}/runs?state=blocked,failed`)
    await expect(page.getByTestId('run-state').first()).toBeVisible()
    await page.keyboard.press('j')
    await page.keyboard.press('x')
    await accessible(page)
    await page.getByRole('button', { name: '暂停', exact: true }).click()
    await expect(page.getByRole('dialog')).toBeVisible()
    await accessible(page)
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: '更多筛选' }).click()
    await expect(page.getByRole('textbox', { name: '执行人' })).toBeVisible()
    await accessible(page)
  })
}

test('an address of a project that is not there says so, once', async ({ page }) => {
  await page.goto('/p/nothing-of-this-name')
  await expect(page.getByRole('main').getByRole('link', { name: '回到首页' })).toBeVisible()
  await expect(page.getByRole('alert')).toHaveCount(0)
})
