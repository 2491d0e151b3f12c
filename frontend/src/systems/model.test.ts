import { describe, expect, it } from 'vitest'
import type { Plugin } from '~/api/types'
import { has, hasForm, parametersForm, pathParts, shareOf, standings } from './model'
import { boundsOf, rowsOf, typeOf } from './schema'
import type { Operation, System } from './types'

const op = (id: string, more: Partial<Operation> = {}): Operation => ({
  id,
  title: id,
  method: 'GET',
  path: `/${id}`,
  retry: 'safe',
  risk: 'read',
  ...more,
})

const system: System = {
  id: 'cmdb',
  title: 'CMDB',
  base_url: 'https://cmdb.example',
  auth: { type: 'none' },
  credential_set: false,
  operations: [op('list_hosts'), op('delete_host', { method: 'DELETE', risk: 'destructive' })],
}

const plugin = (needs: [string, string][], grants: [string, string][]): Plugin =>
  ({
    id: 'p',
    manifest: { needs: needs.map(([s, o]) => ({ system: s, operation: o })) },
    grants: grants.map(([s, o]) => ({ system: s, operation: o })),
  }) as unknown as Plugin

describe('searching', () => {
  it('looks at every text without case, and finds all without a word', () => {
    expect(has(' HOST ', 'x', 'list_hosts')).toBe(true)
    expect(has('disk', 'x', undefined)).toBe(false)
    expect(has('', undefined)).toBe(true)
  })
})

describe('a path', () => {
  it('falls into its text and its parameters', () => {
    expect(pathParts('/a/{id}/b')).toEqual([
      { text: '/a/', parameter: false },
      { text: '{id}', parameter: true },
      { text: '/b', parameter: false },
    ])
  })
})

describe('the form of parameters', () => {
  it('asks for the required ones first, and hides what may be a secret', () => {
    const form = parametersForm(
      op('x', {
        parameters: [
          { name: 'page', in: 'query', schema: { type: 'integer' } },
          { name: 'id', in: 'path', required: true, doc: { en: 'Which', zh: '哪个' } },
          { name: 'X-Token', in: 'header', secret: true },
        ],
      }),
    )
    expect(Object.keys(form?.properties as object)).toEqual(['id', 'page', 'X-Token'])
    expect(form?.required).toEqual(['id'])
    expect(form?.properties).toMatchObject({
      id: { type: 'string', description: 'Which' },
      page: { type: 'integer', title: 'page' },
      'X-Token': { 'ui:widget': 'password' },
    })
  })

  it('is none where an operation takes none', () => {
    expect(parametersForm(op('x'))).toBeUndefined()
    expect(parametersForm(op('x', { parameters: null }))).toBeUndefined()
  })

  it('is drawn for bodies with fields only', () => {
    expect(hasForm({ type: 'object', properties: { a: {} } })).toBe(true)
    expect(hasForm({ type: 'array' })).toBe(false)
    expect(hasForm(undefined)).toBe(false)
  })
})

describe('grants', () => {
  it('are told apart from what is asked for', () => {
    const p = plugin([['cmdb', 'list_hosts']], [['cmdb', 'delete_host']])
    expect(standings([p], 'cmdb', 'list_hosts')).toMatchObject([{ asked: true, granted: false }])
    expect(standings([p], 'cmdb', 'delete_host')).toMatchObject([{ asked: false, granted: true }])
    expect(standings([p], 'other', 'list_hosts')).toEqual([])
  })

  it('of a plugin that may ask for anything are those that it has', () => {
    const share = shareOf(plugin([['*', '*']], [['cmdb', 'list_hosts']]), system)
    expect(share.any).toBe(true)
    expect(share.asked).toHaveLength(2)
    expect(share.granted.map((o) => o.id)).toEqual(['list_hosts'])
    expect(shareOf(plugin([['other', '*']], []), system)).toEqual({ any: false, asked: [], granted: [] })
  })
})

describe('a schema', () => {
  const hosts = {
    type: 'object',
    required: ['hosts'],
    properties: {
      hosts: { type: 'array', maxItems: 5, items: { type: 'object', properties: { ip: { type: 'string' } } } },
      mode: { enum: ['a', 'b'], default: 'a' },
    },
  }

  it('is read field by field, into lists too', () => {
    expect(rowsOf(hosts).map((r) => [r.path, r.depth, r.required])).toEqual([
      ['/hosts', 0, true],
      ['/hosts/ip', 1, false],
      ['/mode', 0, false],
    ])
  })

  it('that goes on for ever is cut', () => {
    let deep: object = { type: 'object', properties: { x: { type: 'string' } } }
    for (let i = 0; i < 50; i++) deep = { type: 'object', properties: { x: deep } }
    expect(rowsOf(deep as never).length).toBeLessThan(10)
  })

  it('is named in a word', () => {
    expect(typeOf(hosts.properties.hosts)).toBe('object[]')
    expect(typeOf(hosts.properties.mode)).toBe('enum')
    expect(typeOf({ type: ['string', 'null'] })).toBe('string')
    expect(typeOf({ oneOf: [{ type: 'string' }, { type: 'integer' }] })).toBe('string | integer')
    expect(typeOf({})).toBe('any')
  })

  it('tells its bounds', () => {
    expect(boundsOf({ minLength: 1, maxLength: 9 })).toEqual([{ kind: 'chars', text: '1 – 9' }])
    expect(boundsOf(hosts.properties.hosts)).toEqual([{ kind: 'items', text: '≤ 5' }])
    expect(boundsOf({ minimum: 0 })).toEqual([{ kind: 'value', text: '≥ 0' }])
    expect(boundsOf(hosts.properties.mode).map((b) => b.text)).toEqual(['"a" | "b"', '= "a"'])
  })
})
