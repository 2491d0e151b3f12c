import { type APIRequestContext, expect, test } from '@playwright/test'
import { around, type FlowDocument, node, project, publishedFlow } from './steps'

const api = `/api/v1/projects/${project}`

/** Publishes another version of a flow. */
async function publishAgain(request: APIRequestContext, flow: string, document: FlowDocument): Promise<void> {
  const draft = await request.get(`${api}/flows/${flow}`)
  const { revision } = (await draft.json()) as { revision: number }
  const saved = await request.put(`${api}/flows/${flow}`, {
    data: { document: { ...document, id: flow } },
    headers: { 'If-Match': `"${revision}"` },
  })
  expect(saved.status(), await saved.text()).toBe(200)
  const next = ((await saved.json()) as { revision: number }).revision
  const made = await request.post(`${api}/flows/${flow}/versions`, { data: { revision: next, note: '增加超时' } })
  expect(made.status(), await made.text()).toBe(201)
}

test('whoever uses a subflow is told of its new version, sees what it asks for now, and moves all nodes at once', async ({
  page,
  request,
}) => {
  const pause = { plugin: 'core', action: 'wait_for', inputs: { duration: '1s' } }
  const text = { type: 'string' }
  const child = await publishedFlow(request, {
    ...around(`部署 ${Date.now()}`, pause),
    variables: [
      { name: 'host', source: 'input', schema: text, required: true },
      { name: 'old', source: 'input', schema: text },
    ],
  })
  const use = (id: string) => ({ id, type: 'subflow', flow: child, version: 1, inputs: { host: 'a', old: '旧值' } })
  const parent = await publishedFlow(request, {
    format: 'culm.flow/v1',
    name: `上线 ${Date.now()}`,
    nodes: [{ id: 'start', type: 'start' }, use('first'), use('second'), { id: 'end', type: 'end' }],
    edges: [
      { id: 'e1', from: 'start', to: 'first' },
      { id: 'e2', from: 'first', to: 'second' },
      { id: 'e3', from: 'second', to: 'end' },
    ],
  })
  await publishAgain(request, child, {
    ...around('部署', pause),
    variables: [
      { name: 'host', source: 'input', schema: text, required: true },
      { name: 'limit', source: 'input', schema: { type: 'integer' }, required: true },
    ],
  })

  await page.goto(`/p/${project}/flows/${parent}`)
  const notice = page.getByRole('status').filter({ hasText: '2 个子流程节点有新版本' })
  await notice.getByRole('button', { name: '查看差异' }).click()
  const dialog = page.getByRole('dialog', { name: '子流程有新版本' })
  await expect(dialog).toContainText('v1 → v2')
  await expect(dialog).toContainText('增加超时')
  const inputs = dialog.getByRole('region', { name: '输入' })
  await expect(inputs.getByRole('listitem').filter({ hasText: 'limit' })).toContainText('必填，需要补上')
  await expect(inputs.getByRole('listitem').filter({ hasText: 'old' })).toContainText('节点上的值会移除：旧值')
  await dialog.getByRole('button', { name: '全部更新' }).click()

  await expect(node(page, 'first')).toContainText('v2')
  await expect(node(page, 'second')).toContainText('v2')
  await expect(notice).toHaveCount(0)
  // What it needs now is a problem at the nodes, and one undo goes all the way back.
  await expect(node(page, 'second').getByRole('img', { name: '错误' })).toBeVisible()
  await page.getByRole('button', { name: '撤销', exact: true }).click()
  await expect(node(page, 'first')).toContainText('v1')
  await expect(node(page, 'second')).toContainText('v1')
})
