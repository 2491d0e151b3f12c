import { expect, test } from '@playwright/test'
import { node, project, publishedFlow, showCel, startedRun, writeInto } from './steps'

const document = (name: string) => ({
  format: 'culm.flow/v1',
  name: `${name} ${Date.now()}`,
  variables: [
    { name: 'count', source: 'input', schema: { type: 'integer' }, value: 2 },
    { name: 'pause', source: 'constant', schema: { type: 'string' }, value: '10ms' },
    { name: 'left', source: 'constant', schema: { type: 'string' }, value: 'x' },
  ],
  nodes: [
    { id: 'start', type: 'start', position: { x: 0, y: 10 } },
    { id: 'way', type: 'exclusive', name: '够不够', position: { x: 100, y: 6 } },
    {
      id: 'wait',
      type: 'task',
      plugin: 'core',
      action: 'wait_for',
      name: '停一下',
      inputs: { duration: '${pause}' },
      position: { x: 240, y: 0 },
    },
    { id: 'end', type: 'end', position: { x: 520, y: 10 } },
  ],
  edges: [
    { id: 'e1', from: 'start', to: 'way' },
    { id: 'e2', from: 'way', to: 'wait', condition: 'count > 1' },
    { id: 'e3', from: 'way', to: 'end', default: true },
    { id: 'e4', from: 'wait', to: 'end' },
  ],
})

test('an expression shows what it was worth in the last run', async ({ page, request }) => {
  const flow = await publishedFlow(request, document('预览'))
  const run = await startedRun(request, flow, { count: 7 })
  await expect
    .poll(
      async () =>
        ((await (await request.get(`/api/v1/projects/${project}/runs/${run}`)).json()) as { state: string }).state,
    )
    .toBe('succeeded')
  await page.goto(`/p/${project}/flows/${flow}`)
  await node(page, 'wait').click()
  const field = page.getByRole('textbox', { name: '时长' })
  await field.click()
  await expect(page.locator('.sf-worth')).toContainText('最近一次运行')
  await expect(page.locator('.sf-worth code')).toHaveText('"10ms"')
  await writeInto(field, '${count * 2}')
  await expect(page.locator('.sf-worth code')).toHaveText('14')
  await writeInto(field, '${cuont}')
  await expect(page.locator('.sf-worth')).toContainText('cuont 不存在')

  // Behind a dot the functions of a value are offered, each with how it is called and what it does.
  await field.press('ControlOrMeta+a')
  await field.pressSequentially('${pause.upp')
  await expect(page.getByRole('option', { name: 'upper' })).toBeVisible()
  await expect(page.locator('.cm-completionInfo')).toContainText('string.upper() → string')
  await expect(page.locator('.cm-completionInfo')).toContainText('大写')
  await expect(page.locator('.cm-completionInfo')).toBeInViewport({ ratio: 0.99 })
  // A list that has just opened takes no key, as it may be meant for the text: who presses again has what is offered.
  await expect(async () => {
    await field.press('Enter')
    await expect(page.getByRole('option', { name: 'upper' })).toBeHidden({ timeout: 2_000 })
  }).toPass()
  await expect(field).toHaveText('${pause.upper()}')
  await expect(page.locator('.sf-worth code')).toHaveText('"10MS"')
})

test('a condition is put together from rules, and read as CEL', async ({ page, request }) => {
  const flow = await publishedFlow(request, document('条件'))
  await page.goto(`/p/${project}/flows/${flow}`)
  await page.locator('.react-flow__edge[data-id="e2"]').focus()
  await page.keyboard.press('Enter')
  const rule = (n: number) => page.getByRole('group', { name: `第 ${n} 条规则` })
  await expect(rule(1).getByRole('combobox', { name: '比较什么' })).toHaveValue('count')
  await expect(rule(1).getByRole('combobox', { name: '怎样比较' })).toHaveValue('大于')
  await page.getByRole('button', { name: '添加规则' }).click()
  await rule(2).getByRole('combobox', { name: '比较什么' }).fill('pause')
  await page.getByRole('option', { name: 'pause', exact: true }).click()
  await rule(2).getByRole('combobox', { name: '和什么比较' }).fill('10ms')
  await expect(page.locator('.ed-label').first()).toHaveText('count > 1 && pause == "10ms"')
  await showCel(page)
  const cel = page.getByRole('textbox', { name: '条件（CEL）' })
  await expect(cel).toHaveText('count > 1 && pause == "10ms"')
  await writeInto(cel, 'count + 1 > 2')
  await expect(page.getByText('这个条件超出了逐条填写能表达的范围')).toBeVisible()
})

test('a variable shows who uses it, is renamed everywhere, and one step takes that back', async ({ page, request }) => {
  const flow = await publishedFlow(request, document('变量'))
  await page.goto(`/p/${project}/flows/${flow}`)
  await expect(page.getByRole('region', { name: 'left' })).toContainText('未使用')
  const pause = page.getByRole('region', { name: 'pause' })
  await pause.getByRole('button', { name: 'pause', exact: true }).click()
  await expect(pause.getByRole('region', { name: '引用' })).toContainText('停一下')
  await expect(node(page, 'wait')).toContainText('← pause')
  const name = pause.getByRole('textbox', { name: '变量名' })
  await name.fill('rest')
  await name.press('Enter')
  await expect(node(page, 'wait')).toContainText('← rest')
  await page
    .getByRole('region', { name: 'rest' })
    .getByRole('button', { name: /停一下/ })
    .click()
  await expect(page.getByRole('textbox', { name: '时长' })).toHaveText('${rest}')
  await page.getByRole('button', { name: '撤销', exact: true }).click()
  await expect(page.getByRole('textbox', { name: '时长' })).toHaveText('${pause}')

  // Every node says at once what it reads.
  await page.getByRole('button', { name: '变量透视' }).click()
  await expect(node(page, 'way')).toContainText('← count')
})

test('an input gets its choices from a plugin and rules of its own, and the start form shows them', async ({
  page,
  request,
}) => {
  const text = { type: 'string' }
  const flow = await publishedFlow(request, {
    ...document('表单设置'),
    variables: [
      { name: 'count', source: 'input', schema: { type: 'integer' }, value: 2 },
      { name: 'pause', source: 'constant', schema: text, value: '10ms' },
      { name: 'service', source: 'input', schema: text },
    ],
  })
  await page.goto(`/p/${project}/flows/${flow}`)
  const panel = page.getByRole('region', { name: 'service', exact: true })
  await panel.getByRole('button', { name: /^service/ }).click()
  await panel.getByRole('button', { name: '表单设置' }).click()
  await panel.getByRole('textbox', { name: '说明', exact: true }).fill('要发布的服务')
  await panel.getByRole('combobox', { name: '选项来源' }).fill('services')
  await page.getByRole('option', { name: /services/ }).click()
  await writeInto(panel.getByRole('textbox', { name: '显示条件' }), 'count > 1')
  await panel.getByRole('textbox', { name: '其他关键字（JSON）' }).fill('{"x-own": 1')
  await panel.getByRole('textbox', { name: '说明', exact: true }).click()
  await expect(panel.getByText('不是合法的 JSON 对象')).toBeVisible()
  await panel.getByRole('textbox', { name: '其他关键字（JSON）' }).fill('{"examples": ["checkout"]}')
  await panel.getByRole('textbox', { name: '说明', exact: true }).click()
  await page.keyboard.press('Control+s')
  await expect(page.getByRole('status').filter({ hasText: '已保存' })).toBeVisible()
  const kept = (await (await request.get(`/api/v1/projects/${project}/flows/${flow}`)).json()) as {
    document: { variables: { name: string }[] }
    problems: unknown[] | null
  }
  expect(kept.problems ?? []).toEqual([])
  expect(kept.document.variables.find((v) => v.name === 'service')).toMatchObject({
    show_if: 'count > 1',
    schema: {
      'ui:help': '要发布的服务',
      'x-source': { plugin: 'demo', action: 'deploy_service', name: 'services' },
      examples: ['checkout'],
    },
  })

  await page.keyboard.press('Control+Enter')
  await page.waitForURL(/\/start/)
  await expect(page.getByText('要发布的服务')).toBeVisible()
  await page.getByRole('combobox', { name: 'service' }).click()
  await expect(page.getByRole('option', { name: /checkout/ })).toBeVisible()
})
