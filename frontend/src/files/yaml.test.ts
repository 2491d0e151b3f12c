import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readText, toYaml } from './yaml'

/** The same pairs that the program reads in host/document: what one writes the other reads. */
const vectors = JSON.parse(readFileSync(new URL('../../../schemas/testdata/yaml.json', import.meta.url), 'utf8')) as {
  about: string
  value: unknown
  yaml: string
}[]

const awkward = fc.oneof(
  fc.constantFrom(
    'yes',
    'No',
    'on',
    'null',
    '~',
    '1e3',
    '0x1F',
    '0b11',
    '0o17',
    '0777',
    '1_000',
    '12:30',
    '2026-03-01',
    '.inf',
    '<<',
    '=',
    '- a',
    'a: b',
    'a #b',
    '#a',
    '  lead',
    'trail ',
    'two\nlines',
    'two\nlines\n',
    '\n',
    '\r\n',
    'a\n  b\nc',
    '"',
    "'",
    '${x}',
    '$${x}',
    '{a}',
    '[a]',
    '*a',
    '&a',
    '!a',
    '%a',
    '@a',
    '`a',
    '? a',
    ': a',
    '|',
    '>',
    '\t',
    'a\tb',
    '\u0000',
    '\u0085',
    '\u2028',
    '\ufeff',
    '你好：世界',
    '😀',
    'a\\b',
    '---',
    '...',
  ),
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }),
)
const value = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    awkward,
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => (Object.is(n, -0) ? 0 : n)),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(awkward, tie('value'), { maxKeys: 4 }),
  ),
})).value

const same = (a: unknown) => JSON.parse(JSON.stringify(a)) as unknown

describe('YAML', () => {
  it('reads back exactly the JSON that it was made of', () => {
    fc.assert(
      fc.property(value, (v) => {
        const text = toYaml(v)
        const read = readText(text)
        expect(read.flaws, text).toEqual([])
        expect(read.value, text).toEqual(same(v))
      }),
      { numRuns: 600 },
    )
  })

  it('reads JSON as the YAML that it is', () => {
    fc.assert(
      fc.property(value, (v) => {
        const read = readText(JSON.stringify(v, null, 2))
        expect(read.flaws).toEqual([])
        expect(read.value).toEqual(same(v))
      }),
    )
  })

  it('is what the program reads too', () => {
    for (const { about, value, yaml } of vectors) {
      expect(toYaml(value), about).toBe(yaml)
      expect(readText(yaml).value, about).toEqual(value)
    }
  })

  it.each([
    ['a: [1', 'BAD_INDENT', 1],
    ['a: 1\nb: 2\na: 3\n', 'DUPLICATE_KEY', 3],
    ['a: &x 1\nb: *x\n', 'ALIAS', 1],
    ['a: !secret x\n', 'TAG_RESOLVE_FAILED', 1],
    ['a: 1\nb: !!str 2\n', 'TAG', 2],
    ['a: 1\nb: .inf\n', 'NUMBER', 2],
    ['a: 12345678901234567890\n', 'NUMBER', 1],
    ['a: 1\n---\nb: 1\n', 'MULTIPLE_DOCS', 2],
    ['', 'EMPTY', 1],
  ])('refuses %j', (text, code, line) => {
    const { flaws, value } = readText(text)
    expect(value).toBeUndefined()
    expect(flaws[0]).toMatchObject({ code, line })
  })

  it('takes signs of exclamation in a key or a text for what they are', () => {
    expect(readText('key!: 3\nb: hi!\nc: ["!x", y!]\n').value).toEqual({ 'key!': 3, b: 'hi!', c: ['!x', 'y!'] })
  })

  it('knows the line of every value, and of the nearest one around what is not there', () => {
    const read = readText('name: a\nnodes:\n  - id: start\n    type: start\n  - id: end\n    type: nd\n')
    expect(read.placeOf('/nodes/1/type').line).toBe(6)
    expect(read.placeOf('/nodes/1').line).toBe(5)
    expect(read.placeOf('/nodes/1/plugin').line).toBe(5)
    expect(read.placeOf('').line).toBe(1)
  })
})
