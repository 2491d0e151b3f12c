import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Flow } from '~/api/types'
import { apply } from './commands'
import { hintsOf, perspectiveOf, renameEverywhere, renameIn, usesOf } from './uses'

const flow: Flow = {
  format: 'culm.flow/v1',
  name: 'base',
  variables: [
    { name: 'host', source: 'input' },
    { name: 'hosts', source: 'node' },
    { name: 'n', source: 'computed', expression: 'hosts.size() + 1' },
    { name: 'a', source: 'computed', expression: 'b' },
    { name: 'b', source: 'computed', expression: 'a' },
    { name: 'left', source: 'constant', value: 1 },
    { name: 'greet', source: 'constant', value: 'hello ${host}' },
  ],
  nodes: [
    {
      id: 'find',
      type: 'task',
      inputs: { q: '${host}', raw: '${host}' },
      literal: ['raw'],
      outputs: { hosts: 'list' },
    },
    { id: 'way', type: 'exclusive' },
    { id: 'say', type: 'task', inputs: { text: '${greet} ${nodes.find.outputs.list}', deep: [{ x: '${n}' }] } },
  ],
  edges: [
    { id: 'e1', from: 'find', to: 'way' },
    { id: 'e2', from: 'way', to: 'say', condition: 'hosts.exists(h, h == host) && n > 1' },
  ],
}

describe('uses of variables', () => {
  it('are found in inputs, outputs, conditions and other variables, and not in plain text', () => {
    const at = (name: string) =>
      usesOf(flow)
        .filter((u) => u.variable === name)
        .map((u) => `${u.how} ${u.node ?? u.edge ?? u.by}${u.field}`)
    expect(at('host')).toEqual(['reads find/inputs/q', 'reads e2/condition', 'reads greet/value'])
    expect(at('hosts')).toEqual(['writes find/outputs/hosts', 'reads e2/condition', 'reads n/expression'])
    expect(at('n')).toEqual(['reads say/inputs/deep', 'reads e2/condition'])
  })

  it('are told of each node, the conditions behind a gateway with it', () => {
    expect(perspectiveOf(flow, 'find')).toEqual({ reads: ['host'], writes: ['hosts'], nodes: [] })
    expect(perspectiveOf(flow, 'way')).toEqual({ reads: ['hosts', 'host', 'n'], writes: [], nodes: [] })
    expect(perspectiveOf(flow, 'say')).toEqual({ reads: ['greet', 'n'], writes: [], nodes: ['find'] })
  })

  it('show what nobody reads and what needs itself', () => {
    expect([...hintsOf(flow, usesOf(flow))]).toEqual([
      ['a', 'cyclic'],
      ['b', 'cyclic'],
      ['left', 'unused'],
    ])
  })
})

describe('renaming', () => {
  it('reaches every place, in one step that can be taken back', () => {
    const { doc, inverse } = apply(flow, renameEverywhere(flow, 'host', 'target'))
    expect(doc.nodes[0]?.inputs).toEqual({ q: '${target}', raw: '${host}' })
    expect(doc.edges[1]?.condition).toBe('hosts.exists(h, h == target) && n > 1')
    expect(doc.variables?.find((v) => v.name === 'greet')?.value).toBe('hello ${target}')
    expect(apply(doc, inverse).doc).toEqual(flow)
    expect(apply(flow, renameEverywhere(flow, 'hosts', 'all')).doc.nodes[0]?.outputs).toEqual({ all: 'list' })
  })

  it('leaves texts, fields, functions and names of macros alone', () => {
    expect(renameIn('x == "x" && y.x > x(1) + x', 'x', 'z')).toBe('z == "x" && y.x > x(1) + z')
    expect(renameIn('l.all(x, x > 1)', 'x', 'z')).toBe('l.all(x, x > 1)')
    expect(renameIn('ok ? x : xs', 'x', 'z')).toBe('ok ? z : xs')
  })

  it('there and back gives the same document', () => {
    const name = fc.constantFrom('host', 'hosts', 'n', 'a', 'greet')
    fc.assert(
      fc.property(name, (from) => {
        const there = apply(flow, renameEverywhere(flow, from, 'quite_new')).doc
        expect(usesOf(there).filter((u) => u.variable === from)).toEqual([])
        expect(apply(there, renameEverywhere(there, 'quite_new', from)).doc).toEqual(flow)
      }),
    )
  })
})
