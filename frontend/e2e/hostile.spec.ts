import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@playwright/test'
import { around, node, project, publishedFlow, startedRun } from './steps'

const markup = '<img src=x onerror="window.broken=1"><script>window.broken=1</script>[x](javascript:window.broken=1)'

/** The length of something in a module: seven bits a byte, the lowest first. */
const length = (n: number): number[] => (n < 128 ? [n] : [(n & 127) | 128, ...length(n >> 7)])

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
    const section = Buffer.concat([name, Buffer.from(JSON.stringify(manifest))])
    parts.push(Buffer.from([0, ...length(section.length)]), section)
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
