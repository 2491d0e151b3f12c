// @vitest-environment happy-dom
import { MantineProvider } from '@mantine/core'
import { cleanup, fireEvent, render, screen } from '@testing-library/react'
import { useState } from 'react'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Json, JsonObject, Schema } from '~/api/types'
import { isWide } from './breadth'
import { happy } from './happy'
import { SchemaForm } from './schema-form'

beforeAll(happy)
afterEach(cleanup)

/** Groups whose ten fields are groups of ten fields, and so on: some lines of schema, and 10^levels fields. */
function graph(levels: number): Schema {
  const defs: { [name: string]: Json } = {}
  for (let l = 0; l < levels; l++) {
    const field = (i: number): Json => ({
      ...(l < levels - 1 ? { $ref: `#/$defs/l${l + 1}` } : { type: 'string' }),
      title: `F${l}${i}`,
    })
    const fields = Array.from({ length: 10 }, (_, i) => [`f${i}`, field(i)])
    defs[`l${l}`] = { type: 'object', properties: Object.fromEntries(fields) }
  }
  return { type: 'object', properties: { all: { $ref: '#/$defs/l0', title: 'All' } }, $defs: defs }
}

function Held({
  schema,
  start = {},
  ...rest
}: { schema: Schema; start?: JsonObject } & Partial<Parameters<typeof SchemaForm>[0]>) {
  const [value, setValue] = useState(start)
  return (
    <MantineProvider>
      <SchemaForm name="f" schema={schema} value={value} onChange={setValue} {...rest} />
    </MantineProvider>
  )
}

const drawn = () => document.querySelectorAll('.sf-field').length

describe('a form with more fields than are drawn at once', () => {
  it('is known by what its references lead to', () => {
    expect(isWide(graph(2))).toBe(false)
    expect(isWide(graph(4))).toBe(true)
    const tree = { type: 'object', properties: { name: { type: 'string' }, child: { $ref: '#/$defs/tree' } } }
    expect(isWide({ type: 'object', properties: { root: { $ref: '#/$defs/tree' } }, $defs: { tree } })).toBe(false)
    expect(isWide({ ...graph(40), properties: { a: { anyOf: [{ $ref: '#/$defs/l0' }] } } })).toBe(true)
  })

  it('shows one group after the other', () => {
    render(<Held schema={graph(4)} />)
    expect(drawn()).toBe(1)
    fireEvent.click(screen.getByRole('button', { name: '10 fields' }))
    expect(drawn()).toBe(11)
    expect(screen.getAllByRole('button', { name: '10 fields', expanded: false })).toHaveLength(10)
    fireEvent.click(screen.getByRole('button', { name: '10 fields', expanded: true }))
    expect(drawn()).toBe(1)
  })

  it('opens what holds a value or a problem, and what a problem leads to', () => {
    const value = { all: { f3: { f4: { f5: { f6: 'x' } } } } }
    const { unmount } = render(<Held schema={graph(4)} start={value} />)
    expect(screen.getAllByRole('button', { expanded: true })).toHaveLength(4)
    expect(screen.getByRole('textbox', { name: 'F36' })).toHaveProperty('value', 'x')
    unmount()
    const at = '/all/f1/f2/f3/f4'
    const first = render(<Held schema={graph(4)} problems={new Map([[at, 'is no host']])} />)
    expect(screen.getByText('is no host')).toBeTruthy()
    first.unmount()
    render(<Held schema={graph(4)} focus={at} />)
    expect(document.activeElement).toBe(screen.getByRole('textbox', { name: 'F34' }))
    fireEvent.click(screen.getAllByRole('button', { name: '10 fields', expanded: true })[0] as HTMLElement)
    expect(drawn()).toBe(1)
  })

  it('shows the groups of an ordinary form', () => {
    render(<Held schema={graph(2)} />)
    expect(screen.queryByRole('button', { name: '10 fields' })).toBeNull()
    expect(drawn()).toBe(111)
  })
})
