import { describe, expect, it } from 'vitest'
import type { Plugin } from '~/api/types'
import { formPart, grouped, has, hasForm, passes, pathParts, resolved, shareOf } from './model'
import { boundsOf, rowsOf, typeOf } from './schema'
import type { Operation, OperationDetail, System } from './types'

const op = (id: string, more: Partial<Operation> = {}): Operation => ({
  id,
  title: id,
  method: 'GET',
  path: `/${id}`,
  retry: 'safe',
  risk: 'read',
  enabled: true,
  ...more,
})

const system: System = {
  id: 'cmdb',
  title: 'CMDB',
  base_url: 'https://cmdb.example',
  auth: { type: 'none' },
  credential_set: false,
  version: 1,
  updated_at: '',
  updated_by: '',
  groups: [],
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

const detail = (more: Partial<OperationDetail>): OperationDetail => ({
  ...op('x'),
  system: 'cmdb',
  parameters: null,
  form: {},
  plugins: [],
  ...more,
})

describe('the form of a call', () => {
  it('asks for the required parameters first, in both languages, and takes shared schemas along', () => {
    const form = formPart(
      detail({
        parameters: [
          { name: 'page', in: 'query' },
          { name: 'id', in: 'path', required: true, doc: { en: 'Which', zh: '哪个' } },
        ],
        form: {
          $defs: { Page: { type: 'integer' } },
          properties: {
            params: { type: 'object', required: ['id'], properties: { page: { $ref: '#/$defs/Page' }, id: {} } },
          },
        },
      }),
      'params',
    )
    expect(Object.keys(form?.properties as object)).toEqual(['id', 'page'])
    expect(form).toMatchObject({
      $defs: { Page: { type: 'integer' } },
      properties: { id: { title: 'id', 'ui:i18n': { zh: { description: '哪个' } } } },
    })
  })

  it('is none where an operation takes none', () => {
    expect(formPart(detail({ form: { properties: {} } }), 'params')).toBeUndefined()
    expect(formPart(detail({}), 'body')).toBeUndefined()
  })

  it('is drawn for bodies with fields only', () => {
    expect(hasForm({ type: 'object', properties: { a: {} } })).toBe(true)
    expect(hasForm({ type: 'array' })).toBe(false)
    expect(hasForm(undefined)).toBe(false)
    expect(hasForm({ $ref: '#/$defs/A', $defs: { A: { properties: { a: {} } } } })).toBe(true)
  })
})

describe('grants', () => {
  it('are told apart from what is asked for', () => {
    const share = shareOf(plugin([['cmdb', 'list_hosts']], [['cmdb', 'delete_host']]), system)
    expect(share.asked.map((o) => o.id)).toEqual(['list_hosts'])
    expect(share.granted.map((o) => o.id)).toEqual(['delete_host'])
  })

  it('of a plugin that may ask for anything are those that it has', () => {
    const share = shareOf(plugin([['*', '*']], [['cmdb', 'list_hosts']]), system)
    expect(share.any).toBe(true)
    expect(share.asked).toHaveLength(2)
    expect(share.granted.map((o) => o.id)).toEqual(['list_hosts'])
    expect(shareOf(plugin([['other', '*']], []), system)).toEqual({ any: false, asked: [], granted: [] })
  })
})

describe('operations', () => {
  const all = [
    op('a', { group: 'hosts' }),
    op('b', { enabled: false, disabled_by: 'change' }),
    op('c', { group: 'hosts', enabled: false }),
  ]

  it('stand in their groups, and a group without any is left out', () => {
    const groups = ['', 'hosts', 'sets'].map((name) => ({ name, operations: 1, enabled: 1 }))
    expect(grouped(groups, all).map((g) => [g.group.name, g.operations.map((o) => o.id)])).toEqual([
      ['', ['b']],
      ['hosts', ['a', 'c']],
    ])
  })

  it('are shown by whether they are on', () => {
    const ids = (show?: string) => all.filter((o) => passes(o, show)).map((o) => o.id)
    expect(ids()).toEqual(['a', 'b', 'c'])
    expect(ids('enabled')).toEqual(['a'])
    expect(ids('disabled')).toEqual(['b', 'c'])
    expect(ids('changed')).toEqual(['b'])
  })
})

describe('a reference', () => {
  it('is followed inside its document, and a circle ends', () => {
    const root = { $defs: { 'a/b': { type: 'string' }, c: { $ref: '#/$defs/c' } } }
    expect(resolved({ $ref: '#/$defs/a~1b' }, root)).toEqual({ type: 'string' })
    expect(resolved({ $ref: '#/$defs/c' }, root)).toEqual({ $ref: '#/$defs/c' })
    expect(resolved({ $ref: '#/$defs/none' }, root)).toEqual({ $ref: '#/$defs/none' })
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
