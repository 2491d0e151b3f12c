import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type APIRequestContext, expect } from '@playwright/test'
import { project } from './steps'

export interface Named {
  id: string
  version: string
  needs?: { system: string; operation: string }[]
  inputs?: { [name: string]: unknown }
}

/** A module of one action, with a manifest of its own. It is there to be installed, not to be run. */
export function module({
  id,
  version,
  needs = [],
  inputs = { zone: { type: 'string', title: 'Zone' } },
}: Named): Buffer {
  const code = readFileSync(join(import.meta.dirname, '..', '..', 'host', 'wasm', 'testdata', 'loop.wasm'))
  const manifest = {
    format: 'culm.plugin/v1',
    id,
    version,
    title: { en: `Records ${id}`, zh: `解析 ${id}` },
    doc: { en: 'Adds records', zh: '添加解析记录' },
    actions: [
      {
        id: 'add',
        title: { en: 'Add a record', zh: '添加记录' },
        inputs: { type: 'object', properties: inputs },
        outputs: { type: 'object', properties: { id: { type: 'string', title: 'Record' } } },
      },
    ],
    needs,
  }
  const leb = (n: number): number[] => (n < 128 ? [n] : [(n & 0x7f) | 0x80, ...leb(n >>> 7)])
  const name = Buffer.from('culm.manifest')
  const body = Buffer.concat([Buffer.from(leb(name.length)), name, Buffer.from(JSON.stringify(manifest))])
  return Buffer.concat([code, Buffer.from([0, ...leb(body.length)]), body])
}

/** Installs it, through the API; answers its digest. */
export async function installed(request: APIRequestContext, m: Named): Promise<string> {
  const answer = await request.post('/api/v1/plugins', {
    data: module(m),
    headers: { 'Content-Type': 'application/wasm' },
  })
  expect(answer.status(), await answer.text()).toBe(201)
  return ((await answer.json()) as { digest: string }).digest
}

/**
 * Installs a module of a story's own, and grants it all that it asks for: a plugin that stories share would lose its
 * grants to the next one that sets them.
 */
export async function granted(request: APIRequestContext, m: Named): Promise<void> {
  await installed(request, m)
  const answer = await request.put(`/api/v1/projects/${project}/plugins/${m.id}/grants`, { data: { grants: m.needs } })
  expect(answer.status(), await answer.text()).toBe(200)
}

/** Grants a plugin that stories share one operation more. Two that do so at once may lose one: ask again until it is there. */
export async function grantedToo(
  request: APIRequestContext,
  plugin: string,
  need: { system: string; operation: string },
): Promise<void> {
  const at = `/api/v1/projects/${project}/plugins/${plugin}`
  const { grants } = (await (await request.get(at)).json()) as { grants: object[] | null }
  await request.put(`${at}/grants`, { data: { grants: [...(grants ?? []), need] } })
}
