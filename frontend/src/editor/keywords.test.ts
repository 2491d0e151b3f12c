import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Plugin, Schema } from '~/api/types'
import { othersOf, sourcesFor, widgetsFor, withOthers, withWord, wordsOf } from './keywords'

const plugin = (options: boolean): Plugin => ({
  id: 'demo',
  version: '1.0.0',
  digest: 'd',
  grants: [],
  enabled: true,
  manifest: {
    format: 'culm.plugin/v1',
    id: 'demo',
    version: '1.0.0',
    title: 'Demo',
    actions: [
      {
        id: 'deploy',
        title: 'Deploy',
        options,
        outputs: {},
        inputs: {
          type: 'object',
          properties: {
            service: { type: 'string', 'x-source': { name: 'services' } },
            hosts: { type: 'array', items: { type: 'string' }, 'x-source': { name: 'hosts', dependsOn: ['service'] } },
            ports: { type: 'array', items: { type: 'integer' }, 'x-source': { name: 'ports' } },
            plain: { type: 'string' },
          },
        },
      },
    ],
  },
})
const names = (schema: Schema, options = true) => sourcesFor(schema, [plugin(options)]).map((s) => s.name)

describe('the sources that an input can have', () => {
  it('are those of actions with choices for values of its type', () => {
    expect(names({ type: 'string' })).toEqual(['services', 'hosts'])
    expect(names({ type: 'array', items: { type: 'string' } })).toEqual(['services', 'hosts'])
    expect(names({ type: 'integer' })).toEqual(['ports'])
    expect(names({ type: 'object' })).toEqual([])
    expect(names({ type: 'string' }, false)).toEqual([])
    expect(sourcesFor({ type: 'string' }, [plugin(true)])[1]?.dependsOn).toEqual(['service'])
  })
})

describe('the keywords of an input', () => {
  it('are taken away without a trace', () => {
    const schema = { type: 'string', pattern: '^a' }
    expect(withWord(withWord(schema, 'ui:help', 'x'), 'ui:help', undefined)).toEqual(schema)
    expect(wordsOf(withWord(schema, 'ui:help', 'x'))).toEqual(['ui:help', 'pattern'])
  })

  it('that no field shows are kept as they are, whatever they are', () => {
    const names = fc.constantFrom('type', 'enum', 'pattern', 'x-source', 'ui:help', 'if', 'const', 'ui:i18n', 'x-any')
    fc.assert(
      fc.property(fc.dictionary(names, fc.jsonValue()), (value) => {
        const schema = JSON.parse(JSON.stringify(value)) as Schema // a text has no -0
        expect(withOthers(schema, JSON.stringify(othersOf(schema)))).toEqual(schema)
        expect(othersOf(withOthers(schema, '') ?? { none: true })).toEqual({})
      }),
    )
    expect(withOthers({ type: 'string' }, '[1]')).toBeNull()
    expect(withOthers({ type: 'string' }, '{')).toBeNull()
    expect(withOthers({ type: 'string' }, '{"type":"object","const":1}')).toEqual({ type: 'string', const: 1 })
  })

  it('offer the controls that can show the type', () => {
    expect(widgetsFor({ type: 'string' })).toContain('textarea')
    expect(widgetsFor({ type: 'string', enum: ['a'] })).toEqual(['select', 'radio'])
    expect(widgetsFor({ type: ['integer', 'null'] })).toContain('slider')
  })
})
