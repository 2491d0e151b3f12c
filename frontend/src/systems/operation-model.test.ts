import { describe, expect, it } from 'vitest'
import type { JsonObject } from '~/api/types'
import {
  blankOperation,
  operationForm,
  operationFrom,
  placedInOperation,
  withNewOperation,
  withOperation,
  withoutOperation,
} from './operation-model'

const stored: JsonObject = {
  id: 'drop',
  title: { en: 'Drop', zh: '下架' },
  method: 'POST',
  path: '/assets/{id}/drop',
  retry: 'never',
  risk: 'destructive',
  imported: true,
  key_header: 'X-Key',
  response_headers: ['X-Trace'],
  body: { type: 'object', properties: { note: { type: 'string', default: '' } }, required: [] },
  parameters: [
    { name: 'id', in: 'path', required: true, schema: { type: 'string', maxLength: 8 }, doc: { en: 'Which' } },
    { name: 'zone', in: 'query', wire: 'zone_id', schema: { type: 'integer', minimum: 1 }, required: true },
    { name: 'tags', in: 'query', schema: { type: 'array', items: { type: 'string' } }, array_style: 'comma' },
    { name: 'user', in: 'compute' },
  ],
}

describe('the form of an operation', () => {
  it('changes nothing when nothing was changed', () => {
    expect(operationFrom(operationForm(stored), stored)).toEqual(stored)
  })

  it('keeps what it does not show of a parameter, and takes a new type and place', () => {
    const value = operationForm(stored)
    const [zone] = value.parameters as JsonObject[]
    const next = operationFrom(
      {
        ...value,
        path: '/assets/{name}',
        parameters: [
          { ...zone, type: 'string' },
          { name: 'token', in: 'header', secret: true },
        ],
      },
      stored,
    )
    expect(next.parameters).toEqual([
      { name: 'name', in: 'path', required: true },
      { name: 'zone', in: 'query', wire: 'zone_id', schema: { type: 'string' }, required: true },
      { name: 'token', in: 'header', secret: true },
      { name: 'user', in: 'compute' },
    ])
  })

  it('takes out what was emptied', () => {
    const { body: _, ...value } = operationForm({ ...stored, success: { rule: 'true' }, group: 'a' })
    const next = operationFrom({ ...value, success: { rule: '' }, group: '' }, stored)
    expect(Object.keys(next)).not.toEqual(expect.arrayContaining(['body']))
    expect(next.success).toBeUndefined()
    expect(next.group).toBeUndefined()
  })

  it('adds an operation at the end of a document, and takes one out', () => {
    const added = withNewOperation(
      { id: 's', operations: [stored] },
      { ...blankOperation, id: 'open', path: '/doors/{door}', title_zh: '开门', method: 'POST' },
    )
    expect(added).toEqual({
      id: 's',
      operations: [
        stored,
        {
          id: 'open',
          title: { zh: '开门' },
          method: 'POST',
          path: '/doors/{door}',
          risk: 'read',
          retry: 'safe',
          parameters: [{ name: 'door', in: 'path', required: true }],
        },
      ],
    })
    expect(withoutOperation(added, 'drop')).toEqual({ id: 's', operations: [(added.operations as object[])[1]] })
  })

  it('shows what is wrong at the field of the form', () => {
    const document = { operations: [{ id: 'other' }, stored] }
    const wrong = new Map([
      ['/operations/1/path', 'a'],
      ['/operations/1/parameters/0/name', 'b'],
      ['/operations/1/parameters/2/schema', 'c'],
      ['/operations/0/path', 'd'],
    ])
    expect([...placedInOperation(wrong, document, 1)]).toEqual([
      ['/path', 'b'],
      ['/parameters/1/type', 'c'],
    ])
    expect(withOperation(document, 'drop', operationForm(stored))).toEqual(document)
  })
})
