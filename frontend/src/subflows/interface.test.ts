import { describe, expect, it } from 'vitest'
import type { Flow, FlowNode, Variable } from '~/api/types'
import { apply } from '~/doc/commands'
import { differences, droppedBy, updatesOf, updateTo } from './interface'

const flow = (variables: Variable[], more: Partial<Flow> = {}): Flow => ({
  format: 'culm.flow/v1',
  name: 'f',
  variables,
  nodes: [],
  edges: [],
  ...more,
})
const input = (name: string, more: Partial<Variable> = {}): Variable => ({
  name,
  source: 'input',
  schema: { type: 'string' },
  ...more,
})
const output = (name: string, type = 'string'): Variable => ({ name, source: 'node', output: true, schema: { type } })
const facts = (before: Flow, after: Flow) =>
  differences(before, after).map((d) => `${d.side} ${d.name} ${d.kind} ${d.facts.map((f) => f.what).join()}`.trim())

describe('what a new version of a subflow changes', () => {
  it('is what it asks for and what it gives back', () => {
    const before = flow([input('a'), input('gone'), output('x'), output('old')])
    const after = flow([
      input('a', { schema: { type: 'integer' } }),
      input('need', { required: true }),
      output('x', 'array'),
      output('new'),
    ])
    expect(facts(before, after)).toEqual([
      'inputs a changed type',
      'inputs need added required',
      'inputs gone removed',
      'outputs x changed type',
      'outputs new added',
      'outputs old removed',
    ])
  })

  it('tells rules, defaults and what is needed apart', () => {
    const before = flow([input('a'), input('b', { value: 1 }), input('c', { required: true })])
    const after = flow([
      input('a', { schema: { type: 'string', enum: ['x'] } }),
      input('b', { value: 2 }),
      input('c', { required: true, value: 'v' }),
    ])
    expect(facts(before, after)).toEqual([
      'inputs a changed choices',
      'inputs b changed default',
      'inputs c changed nowOptional,default',
    ])
  })

  it('is nothing where only the inside differs', () => {
    expect(
      differences(flow([input('a')]), flow([input('a', { title: 'A' })], { nodes: [{ id: 's', type: 'start' }] })),
    ).toEqual([])
  })
})

const node: FlowNode = {
  id: 'sub',
  type: 'subflow',
  flow: 'f',
  version: 1,
  inputs: { a: 1, gone: '${x}' },
  literal: ['gone'],
  outputs: { v: 'x', w: 'old' },
  schemes: ['s1', 's2'],
}

describe('an update of a subflow node', () => {
  const after = flow([input('a'), output('x')], { schemes: [{ id: 's2' }] })

  it('says what goes, and takes away only that, in one step that can be taken back', () => {
    expect(droppedBy(node, after)).toEqual({
      inputs: [{ name: 'gone', value: '${x}' }],
      variables: ['w'],
      schemes: ['s1'],
    })
    const doc = flow([], { nodes: [node] })
    const { doc: next, inverse } = apply(doc, updateTo(node, 3, after))
    expect(next.nodes[0]).toEqual({
      id: 'sub',
      type: 'subflow',
      flow: 'f',
      version: 3,
      inputs: { a: 1 },
      outputs: { v: 'x' },
      schemes: ['s2'],
    })
    expect(apply(next, inverse).doc).toEqual(doc)
  })

  it('is offered where a node stays at a version and the flow has a later one', () => {
    const doc = flow([], {
      nodes: [
        node,
        { ...node, id: 'twin' },
        { ...node, id: 'newer', version: 2 },
        { ...node, id: 'follows', version: undefined },
        { ...node, id: 'own', flow: 'mine' },
        { ...node, id: 'current', version: 3 },
      ],
      subflows: { 'mine@1': flow([]) },
    })
    const found = updatesOf(
      doc,
      new Map([
        ['f', 3],
        ['mine', 9],
      ]),
    )
    expect(found.map((u) => [u.from, u.to, u.nodes.map((n) => n.id)])).toEqual([
      [1, 3, ['sub', 'twin']],
      [2, 3, ['newer']],
    ])
  })
})
