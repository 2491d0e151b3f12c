import { describe, expect, it } from 'vitest'
import type { JsonObject, Schema } from '~/api/types'
import { chosen, hasOperation, inlined, isHeld, leftOver, misfits, withOperation } from './operation'

const of = (part: string) => ({ 'x-operation': { part, system: 'system', operation: 'operation' } })

const caller: Schema = {
  type: 'object',
  additionalProperties: false,
  required: ['system', 'operation'],
  properties: {
    system: { type: 'string', 'x-operation': { part: 'system' } },
    operation: { type: 'string', 'x-operation': { part: 'operation', system: 'system' } },
    params: { type: 'object', title: 'Parameters', 'ui:widget': 'keyvalue', ...of('params') },
    body: { title: 'Body', 'ui:widget': 'json', ...of('body') },
  },
}

const op = {
  parameters: [
    { name: 'page', doc: { en: 'Which page', zh: '第几页' } },
    { name: 'owner', required: true },
  ],
  form: {
    type: 'object',
    required: ['params'],
    $defs: {
      node: { type: 'object', properties: { next: { $ref: '#/$defs/node' }, at: { $ref: '#/$defs/instant' } } },
      instant: { type: 'string', format: 'date-time' },
    },
    properties: {
      params: {
        type: 'object',
        required: ['owner'],
        properties: { page: { type: 'integer' }, owner: { type: 'string' } },
      },
      body: { $ref: '#/$defs/node' },
    },
  } as Schema,
}

const fieldsOf = (s: Schema) => s.properties as unknown as { [name: string]: Schema }

describe('the form of an operation', () => {
  it('is looked for when both fields hold plain text', () => {
    expect(hasOperation(caller)).toBe(true)
    expect(chosen(caller, { system: 'a', operation: 'b' })).toEqual({ system: 'a', operation: 'b' })
    expect(chosen(caller, { system: 'a' })).toBeUndefined()
    expect(chosen(caller, { system: 'a', operation: '${x}' })).toBeUndefined()
  })

  it('stands in the place of parameters and body, the required parameters first', () => {
    const whole = withOperation(caller, op)
    expect(whole.required).toEqual(['system', 'operation', 'params'])
    const { params, body } = fieldsOf(whole) as { params: Schema; body: Schema }
    expect(params.title).toBe('Parameters')
    expect(params['ui:widget']).toBeUndefined()
    expect(Object.keys(fieldsOf(params))).toEqual(['owner', 'page'])
    expect(fieldsOf(params).page?.['ui:i18n']).toMatchObject({ zh: { description: '第几页' } })
    expect(fieldsOf(body).at).toEqual({ type: 'string', format: 'date-time' })
  })

  it('leaves out what the operation does not take', () => {
    const none = withOperation(caller, { parameters: [], form: { type: 'object', properties: {} } })
    expect(Object.keys(fieldsOf(none))).toEqual(['system', 'operation'])
    expect(leftOver(none, { system: 'a', body: 1 })).toEqual({ names: ['body'], forbidden: true })
  })

  it('ends where a schema contains itself', () => {
    expect(inlined({ $ref: '#/$defs/node' }, op.form)).toEqual({
      type: 'object',
      properties: { next: {}, at: { type: 'string', format: 'date-time' } },
    })
  })

  it('puts the parts of an object together', () => {
    const parts: Schema = {
      allOf: [
        { type: 'object', required: ['a'], properties: { a: { type: 'string' } } },
        { properties: { b: { type: 'integer' } }, required: ['b'] },
      ],
    }
    expect(inlined(parts, parts)).toEqual({
      type: 'object',
      required: ['a', 'b'],
      properties: { a: { type: 'string' }, b: { type: 'integer' } },
    })
  })
})

describe('a value that does not fit its field', () => {
  it.each<[string, Schema, JsonObject[string], boolean]>([
    ['a text in a number', { type: 'integer' }, 'many', true],
    ['a number in a number', { type: 'integer' }, 3, false],
    ['an object in a text', { type: 'string' }, { a: 1 }, true],
    ['a text in an object', { type: 'object' }, 'a', true],
    ['a list in an object', { type: 'object' }, [], true],
    ['no choice', { enum: ['in', 'out'] }, 'up', true],
    ['a choice', { oneOf: [{ const: 1, title: 'One' }] }, 1, false],
    ['anything where anything goes', {}, { a: [] }, false],
  ])('%s', (_name, schema, value, want) => {
    expect(misfits(schema, value)).toBe(want)
  })

  it('is not checked where the plugin fills in a text', () => {
    expect(isHeld({ body: { url: '{callback_url}' } }, ['body', 'url'], ['{callback_url}'])).toBe(true)
    expect(isHeld({ body: { url: 'x' } }, ['body', 'url'], ['{callback_url}'])).toBe(false)
    expect(isHeld({ body: null }, ['body', 'url'], ['{callback_url}'])).toBe(false)
  })
})
