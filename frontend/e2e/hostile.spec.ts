import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@playwright/test'
import { accessible } from './axe'
import { around, node, project, publishedFlow, startedRun, writeInto } from './steps'

const markup = '<img src=x onerror="window.broken=1"><script>window.broken=1</script>[x](javascript:window.broken=1)'

/** The length of something in a module: seven bits a byte, the lowest first. */
const length = (n: number): number[] => (n < 128 ? [n] : [(n & 127) | 128, ...length(n >> 7)])

/** A section of a module. */
const section = (id: number, ...bytes: number[]): number[] => [id, ...length(bytes.length), ...bytes]

/** An instruction that puts a number on the stack: seven bits a byte, the sign in the last. */
const signed = (n: number): number[] => [
  0x41,
  ...(n < 64 ? [n] : n < 8192 ? [(n & 127) | 128, n >> 7] : [(n & 127) | 128, ((n >> 7) & 127) | 128, n >> 14]),
]

const text = (s: string): number[] => {
  const bytes = [...Buffer.from(s)]
  return [...length(bytes.length), ...bytes]
}

/** A module, written by hand, whose one action logs what it is made with, and succeeds. */
function talker(said: string, manifest: object): Buffer {
  const host = (name: string, type: number): number[] => [...text('culm:host/v1'), ...text(name), 0, type]
  const answer = '{"status":"succeeded","outputs":{}}'
  const load = (at: number, n: number): number[] => [...signed(at), ...signed(n)]
  const body = [
    0,
    0x41,
    1,
    ...load(0, Buffer.byteLength(said)),
    0x10,
    1,
    0x10,
    0,
    ...load(8192, answer.length),
    0x10,
    2,
    0x41,
    0,
    0x0b,
  ]
  const data = (at: number, s: string): number[] => [0, ...signed(at), 0x0b, ...text(s)]
  return Buffer.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, 4, 0x60, 2, 0x7f, 0x7e, 0, 0x60, 2, 0x7f, 0x7f, 1, 0x7e, 0x60, 2, 0x7f, 0x7f, 0, 0x60, 0, 1, 0x7f),
    ...section(2, 3, ...host('log', 0), ...host('block_write', 1), ...host('output_write', 2)),
    ...section(3, 1, 3),
    ...section(5, 1, 0, 1),
    ...section(7, 2, ...text('memory'), 2, 0, ...text('execute'), 0, 3),
    ...section(10, 1, ...length(body.length), ...body),
    ...section(11, 2, ...data(0, said), ...data(8192, answer)),
    ...section(0, ...text('culm.manifest'), ...Buffer.from(JSON.stringify(manifest))),
  ])
}

/** The module of a shipped plugin with another manifest. */
function repacked(file: string, change: (manifest: { [k: string]: unknown }) => void): Buffer {
  const module = readFileSync(join(import.meta.dirname, '..', '..', 'plugins-wasm', file))
  const name = Buffer.from('\x0dculm.manifest', 'latin1')
  const parts = [module.subarray(0, 8)]
  for (let at = 8; at < module.length; ) {
    const start = at
    const id = module[at++]
    let size = 0
    for (let shift = 0, more = true; more; shift += 7) {
      const byte = module[at++] ?? 0
      size += (byte & 127) * 2 ** shift
      more = byte > 127
    }
    const content = module.subarray(at, at + size)
    at += size
    if (id !== 0 || !content.subarray(0, name.length).equals(name)) {
      parts.push(module.subarray(start, at))
      continue
    }
    const manifest = JSON.parse(content.subarray(name.length).toString()) as { [k: string]: unknown }
    change(manifest)
    parts.push(Buffer.from(section(0, ...name, ...Buffer.from(JSON.stringify(manifest)))))
  }
  return Buffer.concat(parts)
}

test('what a plugin says of itself and of its failures is text, never markup', async ({ page, request }) => {
  test.slow() // a module is compiled
  const broken: string[] = []
  page.on('dialog', (d) => broken.push(d.message()))
  const code = repacked('core.wasm', (m) => {
    m.id = 'hostile'
    m.version = '1.0.0'
    m.title = { en: `Hostile ${markup}`, zh: `敌意 ${markup}` }
    m.doc = { en: markup, zh: markup }
    for (const action of m.actions as { title: unknown; doc: unknown }[]) {
      action.title = { en: `Act ${markup}`, zh: `动作 ${markup}` }
      action.doc = { en: markup, zh: markup }
    }
  })
  const made = await request.post('/api/v1/plugins', { data: code, headers: { 'Content-Type': 'application/wasm' } })
  expect(made.status(), await made.text()).toBe(201)

  const task = {
    plugin: 'hostile',
    action: 'assert',
    name: { en: markup, zh: markup },
    inputs: { condition: '${1 > 2}', message: markup },
  }
  const flow = await publishedFlow(request, around(`敌意 ${Date.now()}`, task))
  await page.goto(`/p/${project}/flows/${flow}`)
  await node(page, 'task').click()
  await expect(page.getByText('<img src=x', { exact: false }).first()).toBeVisible()
  const run = await startedRun(request, flow)
  await page.goto(`/p/${project}/runs/${run}?node=task`)
  await expect(node(page, 'task')).toHaveAttribute('data-s', 'failed')
  await expect(page.getByRole('region', { name: '失败原因' })).toContainText('<img src=x')

  expect(await page.evaluate(() => (window as unknown as { broken?: number }).broken)).toBeUndefined()
  expect(await page.locator('img[src="x"], a[href^="javascript:"]').count()).toBe(0)
  expect(broken).toEqual([])
})

test('the catalogue, the form and the log show what a plugin says as it is', async ({ page, request }) => {
  const broken: string[] = []
  page.on('dialog', (d) => broken.push(d.message()))
  const both = { en: markup, zh: markup }
  const field = { type: 'string', title: `Field ${markup}`, description: markup, examples: [markup], default: markup }
  const manifest = {
    format: 'culm.plugin/v1',
    id: 'talker',
    version: '1.0.0',
    title: { en: `Talker ${markup}`, zh: `话多 ${markup}` },
    doc: both,
    actions: [
      {
        id: 'talk',
        title: both,
        doc: both,
        inputs: { type: 'object', properties: { said: field } },
        outputs: { type: 'object' },
      },
    ],
  }
  const said = `first ${markup}\r\nsecond \u001b[31mred\u2028 {"level":"error","text":"forged"}`
  const send = (code: Buffer) =>
    request.post('/api/v1/plugins', { data: code, headers: { 'Content-Type': 'application/wasm' } })
  const drawn = await send(talker(said, { ...manifest, icon: '<svg onload="window.broken=1">' }))
  expect(drawn.status(), 'an icon is a name').toBe(422)
  const made = await send(talker(said, manifest))
  expect(made.status(), await made.text()).toBe(201)

  await page.goto(`/p/${project}/plugins`)
  await expect(page.getByText('话多 <img src=x', { exact: false }).first()).toBeVisible()
  for (const tab of ['actions', 'access', 'uses', 'health', 'versions']) {
    await page.goto(`/p/${project}/plugins/talker?tab=${tab}`)
    await expect(page.getByText('<img src=x', { exact: false }).first()).toBeVisible()
  }
  const task = { plugin: 'talker', action: 'talk', inputs: { said: markup } }
  const flow = await publishedFlow(request, around(`话多 ${Date.now()}`, task))
  await page.goto(`/p/${project}/flows/${flow}`)
  await node(page, 'task').click()
  await expect(page.getByText('Field <img src=x', { exact: false }).first()).toBeVisible()

  const run = await startedRun(request, flow)
  await page.goto(`/p/${project}/runs/${run}?node=task`)
  await expect(node(page, 'task')).toHaveAttribute('data-s', 'succeeded')
  await page.keyboard.press('l')
  const log = page.getByRole('log', { name: '日志' })
  await expect(log).toContainText(`first ${markup}`)
  await expect(log).toContainText('second \\u001b[31mred\\u2028 {"level":"error","text":"forged"}')

  expect(await page.evaluate(() => (window as unknown as { broken?: number }).broken)).toBeUndefined()
  expect(await page.locator('img[src="x"], a[href^="javascript:"]').count()).toBe(0)
  expect(broken).toEqual([])
})

test('a pattern that would keep a page busy for years is left to the server, and so many choices are drawn in part', async ({
  page,
  request,
}) => {
  const choices = Array.from({ length: 5_000 }, (_, i) => `c${i}`)
  const properties = {
    said: { type: 'string', title: 'Said', pattern: '^(a+)+$' },
    short: { type: 'string', title: 'Short', pattern: '(?i)^[a-z]+$' },
    one: { type: 'string', title: 'One', enum: choices },
  }
  const manifest = {
    format: 'culm.plugin/v1',
    id: 'stubborn',
    version: '1.0.0',
    title: 'Stubborn',
    actions: [{ id: 'talk', title: 'Talk', inputs: { type: 'object', properties }, outputs: { type: 'object' } }],
  }
  const made = await request.post('/api/v1/plugins', {
    data: talker('said', manifest),
    headers: { 'Content-Type': 'application/wasm' },
  })
  expect(made.status(), await made.text()).toBe(201)

  const flow = await publishedFlow(request, around(`固执 ${Date.now()}`, { plugin: 'stubborn', action: 'talk' }))
  await page.goto(`/p/${project}/flows/${flow}`)
  await node(page, 'task').click()
  await writeInto(page.getByRole('textbox', { name: 'Said' }), `${'a'.repeat(60)}!`)
  await writeInto(page.getByRole('textbox', { name: 'Short' }), '1')
  await page.getByRole('combobox', { name: 'One' }).fill('c4999')
  await page.getByRole('option', { name: 'c4999' }).click()

  // The page asks the server while it is drawn on, and says at the fields what that says.
  const wrong = (name: string) =>
    page.locator('.sf-field', { has: page.getByRole('textbox', { name }) }).getByRole('alert')
  await expect(wrong('Said')).toBeVisible()
  await expect(wrong('Short')).toBeVisible()
  await page.getByRole('button', { name: /^保存/ }).click()
  const problems = async () => {
    const draft = await request.get(`/api/v1/projects/${project}/flows/${flow}`)
    return ((await draft.json()) as { problems: { field: string }[] }).problems.map((p) => p.field)
  }
  await expect.poll(problems).toEqual(['/inputs/said', '/inputs/short'])
})

test('a form that some lines of schema make ten thousand fields of shows one group after the other', async ({
  page,
  request,
}) => {
  const group = (to: object) => ({
    type: 'object',
    properties: Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`f${i}`, { ...to, title: `F${i}` }])),
  })
  const $defs = {
    a: group({ $ref: '#/$defs/b' }),
    b: group({ $ref: '#/$defs/c' }),
    c: group({ $ref: '#/$defs/d' }),
    d: group({ type: 'string' }),
  }
  const inputs = { type: 'object', properties: { all: { $ref: '#/$defs/a', title: 'All' } }, $defs }
  const manifest = {
    format: 'culm.plugin/v1',
    id: 'wide',
    version: '1.0.0',
    title: 'Wide',
    actions: [{ id: 'talk', title: 'Talk', inputs, outputs: { type: 'object' } }],
  }
  const made = await request.post('/api/v1/plugins', {
    data: talker('said', manifest),
    headers: { 'Content-Type': 'application/wasm' },
  })
  expect(made.status(), await made.text()).toBe(201)
  const flow = await publishedFlow(request, around(`宽 ${Date.now()}`, { plugin: 'wide', action: 'talk' }))
  await page.goto(`/p/${project}/flows/${flow}`)
  await node(page, 'task').click()
  const fields = page.locator('.sf-field')
  await expect(fields).toHaveCount(1)
  for (let level = 0; level < 4; level++) {
    await page.getByRole('button', { name: '10 个字段', expanded: false }).first().click()
    await expect(fields).toHaveCount(11 + 10 * level)
  }
  await page.getByRole('textbox', { name: 'F0' }).fill('x')
  await expect(page.getByRole('button', { name: '10 个字段', expanded: true })).toHaveCount(4)
  await accessible(page)
})

test('a start whose inputs only the server could check is refused at the field', async ({ page, request }) => {
  const schema = { type: 'string', pattern: '^(a+)+$' }
  const flow = await publishedFlow(request, {
    ...around(`固执启动 ${Date.now()}`, { plugin: 'core', action: 'wait_for', inputs: { duration: '10ms' } }),
    variables: [{ name: 'host', source: 'input', title: '主机', schema }],
  })
  await page.goto(`/p/${project}/flows/${flow}/start`)
  await page.getByRole('textbox', { name: '主机' }).fill(`${'a'.repeat(60)}!`)
  await page.getByRole('button', { name: '开始运行' }).click()
  const field = page.locator('.sf-field', { has: page.getByRole('textbox', { name: '主机' }) })
  await expect(field.getByRole('alert')).toBeVisible()
  await expect(page).toHaveURL(/\/start/)
})
