// @vitest-environment happy-dom
import { MantineProvider } from '@mantine/core'
import { cleanup, fireEvent, render, screen } from '@testing-library/react'
import fc from 'fast-check'
import { useState } from 'react'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Json, JsonObject, Schema } from '~/api/types'
import { happy } from './happy'
import { SchemaForm } from './schema-form'

beforeAll(happy)

afterEach(cleanup)

const word = fc.stringMatching(/^[a-z][a-z0-9 .-]{0,8}[a-z]$/)
const whole = fc.integer({ min: -1000, max: 1000 })

/** The kinds of fields, each with values that are valid for it. */
const kinds: readonly { schema: Schema; values: fc.Arbitrary<Json> }[] = [
  { schema: { type: 'string' }, values: word },
  { schema: { type: 'string', format: 'textarea' }, values: fc.array(word, { minLength: 1 }).map((l) => l.join('\n')) },
  { schema: { type: 'integer' }, values: whole },
  { schema: { type: 'number', default: 0.5 }, values: whole.map((n) => n / 8) },
  { schema: { type: 'boolean' }, values: fc.boolean() },
  { schema: { type: 'string', enum: ['low', 'high'] }, values: fc.constantFrom('low', 'high') },
  { schema: { type: 'array', items: { type: 'string' } }, values: fc.array(word, { maxLength: 3 }) },
  { schema: { type: 'array', items: { type: 'integer' } }, values: fc.array(whole, { maxLength: 3 }) },
  { schema: { type: 'object', additionalProperties: { type: 'string' } }, values: fc.dictionary(word, word) },
  {
    schema: { type: 'object', properties: { inner: { type: 'string', title: 'Inner' }, n: { type: 'integer' } } },
    values: fc.record({ inner: word, n: whole }, { requiredKeys: [] }),
  },
  { schema: {}, values: fc.jsonValue({ maxDepth: 2 }).map((v) => JSON.parse(JSON.stringify(v)) as Json) },
]

interface Case {
  schema: Schema
  value: JsonObject
}

/** A form, and inputs that a document may hold for it: values, expressions, and fields that are left out. */
const cases: fc.Arbitrary<Case> = fc
  .array(fc.tuple(fc.nat(kinds.length - 1), fc.nat(3), fc.infiniteStream(fc.nat())), { minLength: 1, maxLength: 5 })
  .chain((drawn) =>
    fc
      .tuple(
        ...drawn.map(([kind, how]) =>
          how === 0
            ? fc.constant(undefined)
            : how === 1
              ? word.map((w): Json => `\${${w.replace(/[^a-z]/g, '')}}`)
              : (kinds[kind]?.values ?? word),
        ),
      )
      .map((values) => ({
        schema: {
          type: 'object',
          additionalProperties: false,
          properties: {
            ...Object.fromEntries(drawn.map(([kind], i) => [`f${i}`, { title: `F${i}`, ...kinds[kind]?.schema }])),
            // The two that are edited are fields to type in, not editors of expressions.
            edited: { type: 'string', title: 'Edited', 'x-expression': 'forbidden' },
            counted: { type: 'integer', title: 'Counted', 'x-expression': 'forbidden' },
          } as Json,
        } as Schema,
        // As the document holds it: a text.
        value: JSON.parse(
          JSON.stringify(Object.fromEntries(values.map((v, i) => [`f${i}`, v]).filter(([, v]) => v !== undefined))),
        ) as JsonObject,
      })),
  )

function Held({ start, schema, onChange }: { start: JsonObject; schema: Schema; onChange(v: JsonObject): void }) {
  const [value, setValue] = useState(start)
  const change = (v: JsonObject) => {
    setValue(v)
    onChange(v)
  }
  return (
    <MantineProvider env="test">
      <SchemaForm name="f" schema={schema} value={value} onChange={change} expressions />
    </MantineProvider>
  )
}

function show({ schema, value }: Case) {
  cleanup()
  const onChange = vi.fn<(v: JsonObject) => void>()
  render(<Held start={value} schema={schema} onChange={onChange} />)
  return { onChange, last: () => onChange.mock.calls.at(-1)?.[0] }
}

function type(label: string, text: string): void {
  const field = screen.getByLabelText(label)
  fireEvent.change(field, { target: { value: text } })
  fireEvent.blur(field)
}

const shown = (label: string) => (screen.getByLabelText(label) as HTMLInputElement).value

describe('a document, its form, and the document again', () => {
  it('are the same when nothing is edited', () => {
    fc.assert(
      fc.property(cases, (c) => {
        const { onChange } = show(c)
        expect(screen.getByLabelText('Edited')).toBeTruthy()
        expect(onChange).not.toHaveBeenCalled()
      }),
      { numRuns: 200 },
    )
  })

  it('differ by what was edited and by nothing else, and the next form shows that', () => {
    fc.assert(
      fc.property(cases, word, whole, (c, text, n) => {
        const { last } = show(c)
        type('Edited', text)
        type('Counted', String(n))
        const after = JSON.parse(JSON.stringify(last())) as JsonObject
        expect(after).toEqual({ ...c.value, edited: text, counted: n })

        show({ ...c, value: after })
        expect([shown('Edited'), shown('Counted')]).toEqual([text, String(n)])
      }),
      { numRuns: 20 },
    )
  })
})
