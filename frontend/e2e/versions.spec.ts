import { type APIRequestContext, expect, test } from '@playwright/test'
import { accessible } from './axe'
import { around, node, project, publishedFlow } from './steps'

const api = `/api/v1/projects/${project}`
const wait = { plugin: 'core', action: 'wait_for', name: '等一会儿', inputs: { duration: '1s' } }

interface Draft {
  revision: number
  document: { variables?: object[]; nodes: { id: string; name?: string; inputs?: object }[]; edges: object[] }
}

const draftOf = async (request: APIRequestContext, flow: string): Promise<Draft> =>
  (await request.get(`${api}/flows/${flow}`)).json()

/** Changes the draft of a flow, and answers its new revision. */
async function change(request: APIRequestContext, flow: string, edit: (document: Draft['document']) => void) {
  const { revision, document } = await draftOf(request, flow)
  edit(document)
  const saved = await request.put(`${api}/flows/${flow}`, {
    data: { document },
    headers: { 'If-Match': `"${revision}"` },
  })
  expect(saved.status(), await saved.text()).toBe(200)
}

const longEdges = [
  { id: 'e1', from: 'start', to: 'task' },
  { id: 'e3', from: 'task', to: 'second' },
  { id: 'e4', from: 'second', to: 'end' },
]

/** The task waits longer, a second one comes behind it, and the line to the end is another. */
const longer = (document: Draft['document']) => {
  Object.assign(document.nodes[1] ?? {}, { inputs: { duration: '9s' } })
  document.nodes.push({ ...wait, id: 'second', type: 'task', name: '再等一会儿' } as never)
  document.edges = longEdges
}

test('a version is published with a note, after a look at what changed', async ({ page, request }) => {
  const flow = await publishedFlow(request, around('发布说明', wait))
  await page.goto(`/p/${project}/flows/${flow}`)
  await node(page, 'task').click()
  await page.getByRole('tab', { name: '基本' }).click()
  await page.getByRole('textbox', { name: '节点名称' }).fill('等久一点')
  await page.getByRole('button', { name: '发布', exact: true }).click()
  const dialog = page.getByRole('dialog', { name: '发布新版本' })
  await expect(dialog).toContainText('修改 1')
  await dialog.getByRole('link', { name: '查看差异' }).click()
  await expect(page.getByRole('complementary', { name: '差异' })).toContainText('等久一点')

  await page.getByRole('link', { name: '回到流程' }).click()
  await page.getByRole('button', { name: '发布', exact: true }).click()
  await dialog.getByRole('textbox', { name: '版本说明' }).fill('慢一点更稳')
  await dialog.getByRole('button', { name: '发布', exact: true }).click()
  await expect(dialog).toBeHidden()
  await page.getByRole('link', { name: '版本历史' }).click()
  const list = page.getByRole('complementary', { name: '历史' })
  await expect(list.getByRole('button', { name: /版本 v2.*慢一点更稳/ })).toBeVisible()
})

test('what differs between two versions is seen on the drawing and in the forms', async ({ page, request }) => {
  const flow = await publishedFlow(request, around('看差异', wait))
  await change(request, flow, longer)
  await page.goto(`/p/${project}/flows/${flow}/versions`)
  await expect(node(page, 'task').getByRole('img', { name: '修改' })).toBeVisible()
  await expect(node(page, 'second').getByRole('img', { name: '新增' })).toBeVisible()
  await expect(page.locator('.react-flow__edge-path.ed-removed')).toHaveCount(1)
  await expect(page.locator('.react-flow__edge-path.ed-added')).toHaveCount(2)

  // From one difference to the next by the keyboard; its fields are named as in the form.
  const changes = page.getByRole('complementary', { name: '差异' })
  await page.keyboard.press('n')
  const fields = changes.locator('.vs-fields')
  await expect(fields).toContainText('时长')
  await expect(fields.locator('[data-side="before"]')).toContainText('1s')
  await expect(fields.locator('[data-side="after"]')).toContainText('9s')
  await page.keyboard.press('n')
  await expect(changes.getByRole('button', { expanded: true })).toContainText('再等一会儿')
  await accessible(page)
  // And from the drawing.
  await node(page, 'task').click()
  await expect(changes.getByRole('button', { expanded: true })).toContainText('等一会儿')

  // The other way round what is new is gone.
  await page
    .getByRole('complementary', { name: '历史' })
    .getByRole('button', { name: /版本 v1/ })
    .click()
  await expect(page).toHaveURL(/to=v1/)
  await page.getByRole('combobox', { name: '比较的起点' }).click()
  await page.getByRole('option', { name: '草稿' }).click()
  await expect(node(page, 'second').getByRole('img', { name: '删除' })).toBeVisible()
})

test('notes and schemes are compared field by field, on the drawing and in words', async ({ page, request }) => {
  const optional = { ...wait, optional: true }
  const notes = [{ id: 'n1', text: '先问值班', x: 0, y: 200, w: 208, h: 96 }]
  const flow = await publishedFlow(request, { ...around('便签与方案', optional), notes })
  await change(request, flow, (document) => {
    Object.assign(document, {
      notes: [
        { ...notes[0], text: '先问值班，再重试', colour: 'blue' },
        { id: 'n2', text: '新的', x: 240, y: 200, w: 208, h: 96 },
      ],
      schemes: [{ id: 'quick', name: '快速', without: ['task'] }],
    })
    document.nodes.push({ ...wait, id: 'second', type: 'task' } as never)
    document.edges = longEdges
  })
  await page.goto(`/p/${project}/flows/${flow}/versions`)
  const changes = page.getByRole('complementary', { name: '差异' })
  const [opened, fields] = [changes.getByRole('button', { expanded: true }), changes.locator('.vs-fields')]
  await expect(page.locator('.nt')).toHaveCount(2)
  await page.getByRole('button', { name: '便签 · 修改' }).click()
  await expect(opened).toContainText('先问值班，再重试')
  await expect(fields).toContainText('颜色')
  await expect(fields.locator('[data-side="before"]').last()).toContainText('黄色')
  await expect(fields.locator('[data-side="after"]').last()).toContainText('蓝色')

  // What a scheme does is seen on the nodes it is about.
  await changes.getByRole('button', { name: /方案\s*快速/ }).click()
  await expect(page.locator('.sch-mark[data-for="task"]')).toContainText('跳过')
  await expect(fields).toContainText('等一会儿')
  await accessible(page)

  // Values that are words of the product are in the language of the page.
  await changes.getByRole('button', { name: /新增\s*节点/ }).click()
  await expect(fields).toContainText('任务节点')
})

test('an earlier version becomes the draft again, and so does the draft it replaced', async ({ page, request }) => {
  const flow = await publishedFlow(request, around('恢复', wait))
  await change(request, flow, longer)
  await page.goto(`/p/${project}/flows/${flow}/versions?to=v1`)
  await page.getByRole('button', { name: '恢复到草稿' }).click()
  const dialog = page.getByRole('dialog', { name: /恢复为草稿/ })
  await expect(dialog).toContainText('删除 3')

  // Somebody saves in between: nothing of theirs is overwritten unseen.
  await expect(dialog.getByRole('button', { name: '恢复' })).toBeEnabled()
  await change(request, flow, (document) => {
    document.variables = [{ name: 'theirs', source: 'input', schema: { type: 'string' } }]
  })
  await dialog.getByRole('button', { name: '恢复' }).click()
  await expect(page.getByText('刚刚有人保存了草稿')).toBeVisible()
  await expect(dialog).toContainText('删除 4')
  await dialog.getByRole('button', { name: '恢复' }).click()

  await expect(page).toHaveURL(new RegExp(`/flows/${flow}$`))
  await expect(node(page, 'task')).toBeVisible()
  await expect(node(page, 'second')).toBeHidden()
  expect((await draftOf(request, flow)).document.nodes).toHaveLength(3)

  await page.getByRole('link', { name: '版本历史' }).click()
  await page.getByRole('radiogroup', { name: '历史' }).getByText('保存记录').click()
  const saves = page.getByRole('complementary', { name: '历史' })
  await expect(saves.getByRole('button', { name: /第 4 次保存.*当前草稿/ })).toBeVisible()
  await saves.getByRole('button', { name: /第 3 次保存/ }).click()
  await page.getByRole('button', { name: '恢复到草稿' }).click()
  await dialog.getByRole('button', { name: '恢复' }).click()
  await expect(page).toHaveURL(new RegExp(`/flows/${flow}$`))
  await expect(node(page, 'second')).toBeVisible()
  expect((await draftOf(request, flow)).document.variables).toHaveLength(1)
})

test('on a phone the history is reached from the flow itself', async ({ page, request }) => {
  const flow = await publishedFlow(request, around('手机上看历史', wait))
  await page.setViewportSize({ width: 390, height: 844 })
  await page.goto(`/p/${project}/flows/${flow}`)
  await page.getByRole('toolbar', { name: '画布工具' }).getByRole('button', { name: '版本历史' }).click()
  await expect(page.getByRole('complementary', { name: '历史' }).getByRole('button', { name: /版本 v1/ })).toBeVisible()
  await expect(page.getByText('没有差异').first()).toBeInViewport()
})
