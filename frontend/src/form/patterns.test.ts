import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Json, Schema } from '~/api/types'
import { quick, reach } from './patterns'
import { check } from './validator'

const whatever = 2 ** 14

describe('a pattern', () => {
  it.each([
    '^[a-z][a-z0-9-]{0,63}$',
    '^https?://',
    '^[a-z_]+$',
    '^v?[0-9]{1,9}\\.[0-9]{1,9}$',
    '^((25[0-5]|2[0-4]\\d|[01]?\\d\\d?)\\.){3}(25[0-5]|2[0-4]\\d|[01]?\\d\\d?)$',
    '(dev|test|prod)',
    '^(dev|test)-[a-z]+$',
    '[*+({|]\\+\\(a',
    '^\\p{L}\\u{61}?$',
  ])('%s is matched with texts of any length', (pattern) => {
    expect(reach(pattern)).toBe(whatever)
  })

  it.each(['[a-z]+@[a-z]+', '^\\d+\\.\\d+\\.\\d+$', 'a*a*a*$', 'a{1000}b', '^a|b+$'])(
    '%s is matched with short texts only',
    (pattern) => {
      expect(reach(pattern)).toBeGreaterThan(0)
      expect(reach(pattern)).toBeLessThan(whatever)
    },
  )

  it.each([
    '^(a+)+$',
    '^(a|a)*$',
    '^(a?){64}$',
    '^(?:[a-z]+-?)*$',
    'a*a*a*a*a*a*a*a*$',
    '^(((a{0,30}){0,30}){0,30})$',
    '(a)\\1',
    '(?=a)b',
    '(?<n>a)',
    'a'.repeat(1001),
  ])('%s is not matched', (pattern) => {
    expect(reach(pattern)).toBe(0)
  })

  it.each(['(?i)abc', '\\Aabc\\z', '\\pL+', '(?P<name>a)', '[[:alpha:]]+', '\\Qa.b\\E', 'a{,5}', '('])(
    '%s, which a browser does not know, is not matched',
    (pattern) => {
      expect(reach(pattern)).toBe(0)
      const schema: Schema = { type: 'object', properties: { s: { type: 'string', pattern } } }
      expect(check(quick(schema), { s: 'x' }, true)).toEqual([])
    },
  )
})

describe('any pattern', () => {
  const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^b]', '\\w', '$', '^', 'a?', 'a*', 'a+', '.*', 'a{2,30}')
  const sign = fc.constantFrom('*', '+', '?', '{2}', '{0,9}', '{3,}', '*?')
  const pattern = fc.letrec<{ all: string }>((tie) => ({
    all: fc.oneof(
      { maxDepth: 5 },
      atom,
      fc.tuple(tie('all'), tie('all')).map((both) => both.join('')),
      fc.tuple(tie('all'), tie('all')).map(([x, y]) => `(${x}|${y})`),
      fc.tuple(tie('all'), sign).map(([x, s]) => `(${x})${s}`),
    ),
  })).all

  it('that is matched is matched quickly, as long as the text may be', () => {
    let spent = 0
    fc.assert(
      fc.property(pattern, (p) => {
        const most = reach(p)
        const match = most === 0 ? undefined : new RegExp(p, 'u')
        const from = performance.now()
        for (const part of ['a', 'ab', 'b']) match?.test(`${part.repeat(most).slice(0, most)}!`)
        spent += performance.now() - from
      }),
      { numRuns: 500 },
    )
    expect(spent).toBeLessThan(10_000) // usually a tenth of a second
  })
})

describe('a schema with patterns', () => {
  it('stays as it is where all are quick', () => {
    const schema: Schema = { type: 'object', properties: { pattern: { type: 'string', pattern: '^[a-z]+$' } } }
    expect(quick(schema)).toBe(schema)
  })

  it('says what is wrong with a short text, and leaves a long one to the server', () => {
    const schema = quick({
      type: 'object',
      properties: { version: { type: 'string', pattern: '^\\d+\\.\\d+\\.\\d+$' } },
    })
    const wrong = (version: string) => check(schema, { version }, false).map((v) => v.keyword)
    expect(wrong('1.22.333')).toEqual([])
    expect(wrong('1.22.x')).toEqual(['pattern'])
    expect(wrong(`1.${'2'.repeat(100_000)}.x`)).toEqual([])
  })

  it('lets nothing through that would keep the page busy', () => {
    const evil = '^(a+)+$'
    const text = { type: 'string', pattern: evil }
    // biome-ignore-start lint/suspicious/noThenProperty: a word of JSON Schema
    const inside: Schema = {
      type: 'object',
      $defs: { default: text, ref: { type: 'object', properties: { s: { $ref: '#/$defs/default' } } } },
      properties: {
        default: text,
        pattern: text,
        list: { type: 'array', items: text },
        choice: { oneOf: [text, { type: 'string', pattern: `${evil}|b` }] },
        ref: { $ref: '#/$defs/ref' },
        named: { type: 'object', patternProperties: { [evil]: { type: 'integer' } }, additionalProperties: false },
        not: { if: { not: text }, then: { maxLength: 1 }, type: 'string' },
      },
      allOf: [{ if: { properties: { pattern: text } }, then: { required: ['missing'] } }],
      dependentSchemas: { enum: { properties: { pattern: text } } },
    }
    // biome-ignore-end lint/suspicious/noThenProperty: a word of JSON Schema
    const shown = quick(inside)
    expect(JSON.stringify(shown)).not.toContain('(a+)+')
    const s = `${'a'.repeat(60)}!`
    const value = { default: s, pattern: s, list: [s], choice: s, ref: { s }, named: { [s]: 'x' }, not: s, enum: 1 }
    expect(check(shown, value, false)).toEqual([])
    expect(check(shown, value, true)).toEqual([])
  })

  it('still says what else is wrong', () => {
    const schema: Schema = {
      type: 'object',
      required: ['n'],
      properties: { s: { type: 'string', minLength: 3, pattern: '^(a+)+$' }, n: { type: 'integer' } },
    }
    expect(check(quick(schema), { s: 'a' }, false).map((v) => v.keyword)).toEqual(['required', 'minLength'])
  })

  it('keeps data that looks like a schema', () => {
    const data: Json = { pattern: '^(a+)+$', if: { pattern: '^(a+)+$' } }
    const schema: Schema = {
      type: 'object',
      properties: { s: { enum: [data], default: data }, t: { type: 'string', pattern: '^(a+)+$' } },
    }
    expect((quick(schema).properties as { s: Json }).s).toEqual({ enum: [data], default: data })
    expect(check(quick(schema), { s: data }, false)).toEqual([])
  })

  it('that refers to itself without end does not break the form', () => {
    const loop: Schema = {
      $defs: { a: { $ref: '#/$defs/a' } },
      type: 'object',
      properties: { s: { $ref: '#/$defs/a' } },
    }
    expect(check(quick(loop), { s: 'x' }, false)).toEqual([])
  })
})
