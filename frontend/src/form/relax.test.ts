import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Json, Schema } from '~/api/types'
import { pointerOf } from './context'
import { relax } from './relax'
import { check } from './validator'

interface Vector {
  name: string
  schema: Schema
  literal?: string[]
  cases: { value: Json; wrong: string[] }[]
}

// The server's tests read the same file.
const vectors = JSON.parse(
  readFileSync(new URL('../../../schemas/testdata/relax.json', import.meta.url), 'utf8'),
) as Vector[]

const places = (schema: Schema, value: Json, expressions: boolean, literal?: string[]) =>
  check(schema, value, expressions, literal)
    .map((v) => pointerOf(v.path))
    .sort()

describe('inputs with expressions', () => {
  for (const { name, schema, literal, cases } of vectors) {
    it(name, () => {
      for (const { value, wrong } of cases)
        expect(places(schema, value, true, literal), JSON.stringify(value)).toEqual(wrong)
    })
  }

  it('leaves the schema itself as it was', () => {
    for (const { schema } of vectors) {
      const before = JSON.stringify(schema)
      relax(schema)
      expect(JSON.stringify(schema)).toBe(before)
    }
  })
})

describe('values without expressions', () => {
  const schema: Schema = {
    type: 'object',
    properties: { n: { type: 'integer' }, s: { type: 'string' } },
    required: ['n'],
  }

  it('are checked by the schema as it is', () => {
    expect(places(schema, { n: '${x}' }, false)).toEqual(['/n'])
    expect(places(schema, { n: 1, s: '${x}' }, false)).toEqual([])
  })

  it('name what is missing by its own place, and the rule with its limit', () => {
    expect(check(schema, {}, false)).toEqual([{ path: ['n'], keyword: 'required', limit: undefined }])
    expect(check({ type: 'object', properties: { n: { minimum: 3 } } }, { n: 1 }, false)).toEqual([
      { path: ['n'], keyword: 'minimum', limit: 3 },
    ])
  })

  it('answer one message for a choice, not one for each branch', () => {
    const choice: Schema = { type: 'object', properties: { c: { oneOf: [{ const: 'a' }, { const: 'b' }] } } }
    expect(check(choice, { c: 'z' }, false)).toEqual([{ path: ['c'], keyword: 'oneOf', limit: undefined }])
    expect(check(choice, { c: 'z' }, true)).toEqual([{ path: ['c'], keyword: 'oneOf', limit: undefined }])
  })
})
