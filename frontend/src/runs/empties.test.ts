import { expect, it } from 'vitest'
import { emptiesOf } from './empties'

it('a map that is asked for may be empty; what has fields of its own, and a list, is still asked for', () => {
  const map = { type: 'object', additionalProperties: { type: 'string' } }
  const properties = {
    headers: map,
    labels: map,
    many: { ...map, minProperties: 1 },
    host: { type: 'object', properties: { name: { type: 'string' } } },
    addresses: { type: 'array' },
    status: { type: 'integer' },
  }
  const required = ['headers', 'many', 'host', 'addresses', 'status']
  expect(emptiesOf({ type: 'object', properties, required })).toEqual({ headers: {} })
  expect(emptiesOf(undefined)).toEqual({})
})
