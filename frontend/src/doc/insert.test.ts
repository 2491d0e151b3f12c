import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Flow } from '~/api/types'
import { aligned, distributed, guided } from './align'
import { apply } from './commands'
import { bridged, insertAfter, insertOnEdge, moveOntoEdge, type NewNode } from './insert'

const flow: Flow = {
  format: 'culm.flow/v1',
  name: 'base',
  nodes: [
    { id: 'start', type: 'start', position: { x: 0, y: 0 } },
    { id: 'way', type: 'exclusive', position: { x: 100, y: -4 } },
    { id: 'a', type: 'task', position: { x: 208, y: -10 } },
    { id: 'end', type: 'end', position: { x: 480, y: 0 } },
    { id: 'loose', type: 'task', position: { x: 0, y: 400 } },
  ],
  edges: [
    { id: 'e1', from: 'start', to: 'way' },
    { id: 'e2', from: 'way', to: 'a', condition: 'x > 1' },
    { id: 'e3', from: 'way', to: 'end', default: true },
    { id: 'e4', from: 'a', to: 'end' },
  ],
}
const task: NewNode = { type: 'task', plugin: 'core', action: 'wait_for' }
const ways = (doc: Flow) => doc.edges.map((e) => `${e.from}>${e.to}`)

describe('inserting', () => {
  it('on a line keeps its condition before the new node, and the order of branches', () => {
    const made = insertOnEdge(flow, 'e2', task)
    const doc = apply(flow, made?.command ?? { op: 'batch', commands: [] }).doc
    expect(ways(doc)).toEqual(['start>way', 'way>wait_for1', 'wait_for1>a', 'way>end', 'a>end'])
    expect(doc.edges[1]?.condition).toBe('x > 1')
    expect(doc.edges[2]?.condition).toBeUndefined()
  })

  it('makes room: what follows moves to the right, what stands before stays', () => {
    const doc = apply(flow, insertOnEdge(flow, 'e4', task)?.command ?? { op: 'batch', commands: [] }).doc
    const x = (id: string) => doc.nodes.find((n) => n.id === id)?.position?.x ?? 0
    expect(x('a')).toBe(208)
    expect(x('wait_for1')).toBeGreaterThan(208 + 216)
    expect(x('end')).toBeGreaterThan(x('wait_for1') + 216)
  })

  it('behind a task goes into its way out, behind a gateway begins a branch', () => {
    const behind = apply(flow, insertAfter(flow, 'a', task)?.command ?? { op: 'batch', commands: [] }).doc
    expect(ways(behind)).toContain('wait_for1>end')
    expect(ways(behind)).not.toContain('a>end')
    const branch = apply(flow, insertAfter(flow, 'way', task)?.command ?? { op: 'batch', commands: [] }).doc
    expect(ways(branch)).toEqual([...ways(flow), 'way>wait_for1'])
  })

  it('refuses what cannot stand there', () => {
    expect(insertOnEdge(flow, 'e1', { type: 'end' })).toBeNull()
    expect(insertAfter(flow, 'end', task)).toBeNull()
    expect(insertAfter(flow, 'a', { type: 'start' })).toBeNull()
    expect(moveOntoEdge(flow, 'e1', 'a')).toBeNull()
    expect(moveOntoEdge(flow, 'e1', 'loose')).not.toBeNull()
  })

  it('is one step back, whatever it pushed around', () => {
    const edge = fc.constantFrom('e1', 'e2', 'e3', 'e4')
    fc.assert(
      fc.property(edge, fc.integer({ min: -300, max: 900 }), (id, x) => {
        const moved = { ...flow, nodes: flow.nodes.map((n) => (n.id === 'end' ? { ...n, position: { x, y: 0 } } : n)) }
        const made = insertOnEdge(moved, id, task)
        if (!made) return
        const applied = apply(moved, made.command)
        expect(apply(applied.doc, applied.inverse).doc).toEqual(moved)
      }),
    )
  })

  it('is undone by taking the node out of its path', () => {
    const made = insertOnEdge(flow, 'e1', task)
    const doc = apply(flow, made?.command ?? { op: 'batch', commands: [] }).doc
    const back = bridged(doc, made?.id ?? '')
    expect(new Set(ways(apply(doc, back ?? { op: 'batch', commands: [] }).doc))).toEqual(new Set(ways(flow)))
  })
})

describe('lining up', () => {
  it('puts centres of different sizes on one line', () => {
    const moves = aligned(flow.nodes.slice(0, 3), 'middle')
    const middle = (id: string, height: number) =>
      (moves.get(id)?.y ?? flow.nodes.find((n) => n.id === id)?.position?.y ?? 0) + height / 2
    expect(middle('start', 44)).toBe(middle('way', 52))
    expect(middle('way', 52)).toBe(middle('a', 64))
  })

  it('makes gaps equal and leaves the outer ones where they are', () => {
    const nodes = flow.nodes.slice(0, 4)
    const moves = distributed(nodes, 'across')
    expect(moves.has('start')).toBe(false)
    expect(moves.has('end')).toBe(false)
    const x = (id: string) => moves.get(id)?.x ?? nodes.find((n) => n.id === id)?.position?.x ?? 0
    const gaps = [x('way') - 44, x('a') - x('way') - 52, x('end') - x('a') - 216]
    expect(Math.max(...gaps) - Math.min(...gaps)).toBeLessThanOrEqual(1)
  })

  it('draws a moved node onto the line of another, and says which', () => {
    const [start, way] = flow.nodes as [Flow['nodes'][number], Flow['nodes'][number]]
    const { position, guides } = guided(way, { x: 160, y: -2 }, [start])
    expect(position).toEqual({ x: 160, y: -4 })
    expect(guides).toEqual([{ axis: 'y', at: 22, from: 0, to: 212 }])
    expect(guided(way, { x: 160, y: 40 }, [start])).toEqual({ position: { x: 160, y: 40 }, guides: [] })
  })
})
