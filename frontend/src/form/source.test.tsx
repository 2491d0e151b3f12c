// @vitest-environment happy-dom
import { MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/react'
import { useState } from 'react'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Choices, JsonObject, Schema } from '~/api/types'
import { entriesOf, matching, typedValue } from './choices'
import { happy } from './happy'
import { SchemaForm } from './schema-form'

const schema: Schema = {
  type: 'object',
  properties: {
    zone: { type: 'string', title: 'Zone', 'x-source': { name: 'zones' } },
    host: { type: 'string', title: 'Host', 'x-source': { name: 'hosts', dependsOn: ['zone'] } },
    ports: { type: 'array', title: 'Ports', items: { type: 'integer' }, 'x-source': { name: 'ports' } },
  },
}

let asked: { source: string; form: JsonObject }[]
let answer: (source: string, form: JsonObject) => Choices

beforeAll(async () => {
  await happy()
  vi.stubGlobal(
    'ResizeObserver',
    class {
      observe() {}
      unobserve() {}
      disconnect() {}
    },
  )
  Element.prototype.scrollIntoView = () => {}
})

beforeEach(() => {
  asked = []
  answer = (source, form) => ({
    choices:
      source === 'hosts'
        ? [
            { value: `${form.zone}-1`, label: `Host 1 of ${form.zone}` },
            { value: `${form.zone}-2`, label: `Host 2 of ${form.zone}`, disabled: true },
          ]
        : source === 'ports'
          ? [
              { value: 80, label: 'http' },
              { value: 443, label: 'https' },
            ]
          : [{ value: 'east', label: 'East' }],
  })
  vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
    const body = JSON.parse(String(init.body)) as { action: string; source: string; form: JsonObject }
    expect([url, body.action]).toEqual(['/api/v1/projects/demo/plugins/picker/options', 'pick'])
    asked.push({ source: body.source, form: body.form })
    return new Response(JSON.stringify(answer(body.source, body.form)), { status: 200 })
  })
})

afterEach(cleanup)

/** The inputs of a flow, whose choices come from an action under other names. */
const inputs: Schema = {
  type: 'object',
  properties: {
    place: { type: 'string', title: 'Place', 'x-source': { plugin: 'picker', action: 'pick', name: 'zones' } },
    target: {
      type: 'string',
      title: 'Target',
      'x-source': { plugin: 'picker', action: 'pick', name: 'hosts', fields: { zone: 'place' } },
    },
  },
}

function Held({ start, onChange, of }: { start: JsonObject; onChange(v: JsonObject): void; of: Schema }) {
  const [value, setValue] = useState(start)
  return (
    <SchemaForm
      name="f"
      schema={of}
      value={value}
      expressions={of === schema}
      asks={{ project: 'demo', ...(of === schema ? { plugin: 'picker', action: 'pick' } : { plugin: '', action: '' }) }}
      onChange={(v) => {
        setValue(v)
        onChange(v)
      }}
    />
  )
}

function show(start: JsonObject, of = schema) {
  const onChange = vi.fn<(v: JsonObject) => void>()
  render(
    <QueryClientProvider client={new QueryClient()}>
      <MantineProvider env="test">
        <Held start={start} onChange={onChange} of={of} />
      </MantineProvider>
    </QueryClientProvider>,
  )
  return { last: () => onChange.mock.calls.at(-1)?.[0] }
}

const field = (name: string) => screen.findByRole('combobox', { name })

describe('choices of a source', () => {
  it('are asked for when the field is entered, and taken', async () => {
    const { last } = show({})
    const zone = await field('Zone')
    expect(asked).toEqual([])
    fireEvent.focus(zone)
    fireEvent.click(await screen.findByText('East'))
    expect(last()).toEqual({ zone: 'east' })
  })

  it('of an input of a flow come from the action that it names, by the fields of that', async () => {
    const { last } = show({ place: 'east' }, inputs)
    const target = await field('Target')
    fireEvent.focus(target)
    fireEvent.click(await screen.findByText('Host 1 of east'))
    expect(last()).toEqual({ place: 'east', target: 'east-1' })
    expect(asked.filter((a) => a.source === 'hosts')).toEqual([{ source: 'hosts', form: { zone: 'east' } }])
  })

  it('are asked for again when what they depend on changes, and mark a value that is not among them', async () => {
    show({ zone: 'east', host: 'west-1' })
    expect(await screen.findByText('Not among the choices: west-1')).toBeTruthy()
    expect(asked.filter((a) => a.source === 'hosts')).toEqual([{ source: 'hosts', form: { zone: 'east' } }])
    const zone = await field('Zone')
    fireEvent.focus(zone)
    fireEvent.change(zone, { target: { value: 'west' } })
    fireEvent.blur(zone)
    await waitFor(() => expect(screen.queryByText('Not among the choices: west-1')).toBeNull())
    await waitFor(() => expect(asked.at(-1)).toEqual({ source: 'hosts', form: { zone: 'west' } }))
    await waitFor(() =>
      expect((screen.getByRole('combobox', { name: 'Host' }) as HTMLInputElement).value).toBe('Host 1 of west'),
    )
  })

  it('keep the type of a value, in a list too', async () => {
    const { last } = show({ ports: [8080] })
    const ports = await field('Ports')
    fireEvent.focus(ports)
    fireEvent.click(await screen.findByText('https'))
    expect(last()).toEqual({ ports: [8080, 443] })
    fireEvent.change(ports, { target: { value: '22' } })
    fireEvent.click(await screen.findByText('Use “22”'))
    expect(last()).toEqual({ ports: [8080, 443, 22] })
    fireEvent.change(ports, { target: { value: 'many' } })
    expect(screen.queryByText('Use “many”')).toBeNull()
    fireEvent.change(ports, { target: { value: '' } })
    fireEvent.keyDown(ports, { key: 'Backspace' })
    expect(last()).toEqual({ ports: [8080, 443] })
  })

  it('say why there are none, and ask again', async () => {
    answer = () => ({
      choices: [],
      failure: { code: 'UPSTREAM_TIMEOUT', message: 'no complete answer in time', origin: 'system' },
    })
    show({})
    const zone = await field('Zone')
    fireEvent.focus(zone)
    fireEvent.click(await screen.findByText('Load again'))
    await waitFor(() => expect(asked.length).toBe(2))
  })

  it('are not asked for while they depend on an expression', async () => {
    show({ zone: ['$', '{env.zone}'].join('') })
    const host = await field('Host')
    fireEvent.focus(host)
    expect((await screen.findAllByText(/depend on “Zone”/)).length).toBeGreaterThan(0)
    expect(asked.filter((a) => a.source === 'hosts')).toEqual([])
  })
})

describe('entries', () => {
  it('name what they lie below', () => {
    const entries = entriesOf([{ value: 'a', label: 'A', children: [{ value: 'b', label: 'B' }] }])
    expect(entries).toEqual([{ key: '"b"', value: 'b', label: 'A / B', disabled: false }])
    expect(matching(entries, 'a / B').length).toBe(1)
    expect(matching(entries, 'c').length).toBe(0)
  })

  it('can be typed where the type allows', () => {
    expect(typedValue(' x ', { type: 'string' })).toBe('x')
    expect(typedValue('7', { type: 'integer' })).toBe(7)
    expect(typedValue('7.5', { type: 'integer' })).toBeUndefined()
    expect(typedValue('', { type: 'string' })).toBeUndefined()
    expect(typedValue('x', { type: 'object' })).toBeUndefined()
  })
})
