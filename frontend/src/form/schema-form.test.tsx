// @vitest-environment happy-dom
import { MantineProvider } from '@mantine/core'
import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/react'
import { useState } from 'react'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Json, JsonObject, Schema } from '~/api/types'
import { happy } from './happy'
import { SchemaForm } from './schema-form'

const schema: Schema = {
  type: 'object',
  required: ['query'],
  additionalProperties: false,
  properties: {
    query: { type: 'string', minLength: 3, title: 'Query', 'ui:i18n': { zh: { title: '查询' } } },
    timeout: { type: 'integer', minimum: 1, default: 10, title: 'Timeout' },
    verbose: { type: 'boolean', title: 'Verbose' },
    level: {
      type: 'string',
      title: 'Level',
      oneOf: [
        { const: 'low', title: 'Low' },
        { const: 'high', title: 'High' },
      ],
    },
    labels: { type: 'object', title: 'Labels', additionalProperties: { type: 'string' } },
    anything: { title: 'Anything' },
    rare: { type: 'integer', title: 'Rare', 'ui:advanced': true },
  },
}

beforeAll(happy)

afterEach(cleanup)

function Held({
  start,
  onChange,
  ...rest
}: { start: JsonObject; onChange: (v: JsonObject) => void } & Partial<Parameters<typeof SchemaForm>[0]>) {
  const [value, setValue] = useState(start)
  return (
    <MantineProvider>
      <SchemaForm
        name="f"
        schema={schema}
        value={value}
        onChange={(v) => {
          setValue(v)
          onChange(v)
        }}
        {...rest}
      />
    </MantineProvider>
  )
}

function show(start: JsonObject, rest: Partial<Parameters<typeof SchemaForm>[0]> = {}) {
  const onChange = vi.fn<(v: JsonObject) => void>()
  render(<Held start={start} onChange={onChange} {...rest} />)
  return { onChange, last: () => onChange.mock.calls.at(-1)?.[0] }
}

describe('a form with very many choices', () => {
  const many = Array.from({ length: 3000 }, (_, i) => `v${i}`)

  it.each<[string, Schema, string, JsonObject]>([
    ['one', { type: 'string', title: 'Many', enum: many }, 'combobox', { many: 'v2999' }],
    [
      'one by radio',
      { type: 'string', title: 'Many', enum: many, 'ui:widget': 'radio' },
      'combobox',
      { many: 'v2999' },
    ],
    ['several', { type: 'array', title: 'Many', items: { enum: many } }, 'combobox', { many: ['v2999'] }],
  ])('draws some, and finds the others: %s', async (_, field, role, start) => {
    show(start, { schema: { type: 'object', properties: { many: field as Json } } })
    const input = screen.getByRole(role, { name: 'Many' })
    expect(document.querySelectorAll('*').length).toBeLessThan(1000)
    input.focus()
    fireEvent.change(input, { target: { value: 'v2998' } })
    expect(await screen.findByRole('option', { name: 'v2998' })).toBeTruthy()
  })
})

describe('a form from a schema', () => {
  it('changes nothing by being opened', () => {
    const { onChange } = show({ query: 'up' })
    expect(screen.getByRole('textbox', { name: 'Query' })).toBeTruthy()
    expect(onChange).not.toHaveBeenCalled()
  })

  it('writes what is typed, and says which rule is broken', async () => {
    const { last } = show({})
    const field = screen.getByRole('textbox', { name: 'Query' })
    fireEvent.change(field, { target: { value: 'up' } })
    fireEvent.blur(field)
    expect(last()).toEqual({ query: 'up' })
    expect((await screen.findByRole('alert')).textContent).toBe('At least 3 characters')
    fireEvent.change(field, { target: { value: 'up == 0' } })
    fireEvent.blur(field)
    expect(last()).toEqual({ query: 'up == 0' })
    await waitFor(() => expect(screen.queryByRole('alert')).toBeNull())
  })

  it('keeps false and takes away what is emptied', () => {
    const { last } = show({ query: 'abc', verbose: true })
    fireEvent.click(screen.getByRole('switch', { name: 'Verbose' }))
    expect(last()).toEqual({ query: 'abc', verbose: false })
    const field = screen.getByRole('textbox', { name: 'Query' })
    fireEvent.change(field, { target: { value: '' } })
    fireEvent.blur(field)
    expect(last()).toEqual({ verbose: false })
  })

  it('writes names and values, and any JSON', () => {
    const { last } = show({ query: 'abc', labels: { team: 'sre' } })
    const rows = screen.getByRole('group', { name: 'Labels' })
    fireEvent.change(screen.getByRole('textbox', { name: 'Name in row 1' }), { target: { value: 'owner' } })
    expect(last()).toEqual({ query: 'abc', labels: { owner: 'sre' } })
    expect(rows.textContent).toContain('Add a row')
    const any = screen.getByRole('textbox', { name: 'Anything' })
    fireEvent.change(any, { target: { value: '{"a": [1' } })
    expect(last()).toEqual({ query: 'abc', labels: { owner: 'sre' } })
    expect(screen.getByText('This is not JSON yet, and is not kept')).toBeTruthy()
    fireEvent.change(any, { target: { value: '{"a": [1]}' } })
    expect(last()).toEqual({ query: 'abc', labels: { owner: 'sre' }, anything: { a: [1] } })
  })

  it('shows a problem of the server at its field', () => {
    show({ query: 'abc' }, { problems: new Map([['/timeout', 'too long for this system']]) })
    expect(screen.getByRole('alert').textContent).toBe('too long for this system')
  })

  it('folds fields that few need, and opens them when a problem leads there', () => {
    show({ query: 'abc' })
    expect(screen.getByRole('button', { name: 'More' }).getAttribute('aria-expanded')).toBe('false')
    cleanup()
    show({ query: 'abc' }, { focus: '/rare' })
    expect(screen.getByRole('button', { name: 'More' }).getAttribute('aria-expanded')).toBe('true')
  })
})

describe('an expression in place of a value', () => {
  it('is switched on at the field and stays while it is empty', async () => {
    const { last } = show({ query: 'abc', timeout: 5 }, { expressions: true })
    const toggle = screen.getByRole('button', { name: 'Timeout: use an expression' })
    expect(toggle.getAttribute('aria-pressed')).toBe('false')
    fireEvent.click(toggle)
    await waitFor(() =>
      expect(screen.getByRole('button', { name: 'Timeout: use an expression' }).getAttribute('aria-pressed')).toBe(
        'true',
      ),
    )
    fireEvent.click(screen.getByRole('button', { name: 'Timeout: use an expression' }))
    expect(last()).toEqual({ query: 'abc', timeout: 10 })
  })

  it('is recognised in what was saved, and its unknown names are told', async () => {
    show({ query: 'abc', timeout: '${wait + 1}' }, { expressions: true, scope: [{ name: 'count', type: 'integer' }] })
    expect(screen.getByRole('button', { name: 'Timeout: use an expression' }).getAttribute('aria-pressed')).toBe('true')
    expect(screen.getByText('Unknown names: wait')).toBeTruthy()
  })

  it('is not offered where the form takes values only', () => {
    show({ query: 'abc' })
    expect(screen.queryByRole('button', { name: /use an expression/ })).toBeNull()
  })
})
