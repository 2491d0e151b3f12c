import { describe, expect, it } from 'vitest'
import type { Flow } from '~/api/types'
import { copyText, paste, readClip } from './clipboard'
import { apply } from './commands'
import { connect, freshId, refusal, removeAll, reorderEdge, setDefault } from './graph'
import { arrange } from './layout'
import { scopeOf } from './scope'

const flow: Flow = {
  format: 'culm.flow/v1',
  name: 'f',
  variables: [{ name: 'count', source: 'input', schema: { type: 'integer' } }],
  nodes: [
    { id: 'start', type: 'start', position: { x: 0, y: 0 } },
    { id: 'a1', type: 'task', plugin: 'p', action: 'x', position: { x: 100, y: 0 } },
    { id: 'way', type: 'exclusive', position: { x: 400, y: 0 } },
    { id: 'end', type: 'end', position: { x: 500, y: 0 } },
    { id: 'b1', type: 'task', position: { x: 500, y: 100 } },
  ],
  edges: [
    { id: 'e1', from: 'start', to: 'a1' },
    { id: 'e2', from: 'a1', to: 'way' },
    { id: 'e3', from: 'way', to: 'end', condition: 'count > 1' },
    { id: 'e4', from: 'way', to: 'b1', default: true },
  ],
}

describe('connections', () => {
  it('are refused with the reason', () => {
    expect(refusal(flow, 'a1', 'a1')).toBe('self')
    expect(refusal(flow, 'b1', 'start')).toBe('intoStart')
    expect(refusal(flow, 'end', 'b1')).toBe('outOfEnd')
    expect(refusal(flow, 'way', 'end')).toBe('duplicate')
    expect(refusal(flow, 'a1', 'end')).toBe('oneOut')
    expect(refusal({ ...flow, edges: [] }, 'start', 'end')).toBe('startToEnd')
    expect(refusal(flow, 'b1', 'end')).toBeNull()
    expect(refusal(flow, 'b1', 'a1')).toBeNull()
  })

  it('get ids of their own', () => {
    expect(apply(flow, connect(flow, 'b1', 'end')).doc.edges.at(-1)).toEqual({ id: 'e5', from: 'b1', to: 'end' })
    expect(freshId(new Set(), 'start')).toBe('start')
    expect(freshId(new Set(['start']), 'start')).toBe('start1')
    expect(freshId(new Set(), '9-lives')).toBe('lives1')
  })

  it('go with the nodes at their ends', () => {
    const { doc } = apply(flow, removeAll(flow, new Set(['way']), new Set()))
    expect(doc.edges.map((e) => e.id)).toEqual(['e1'])
  })

  it('have one default at a gateway, and an order', () => {
    const e3 = flow.edges[2] as Flow['edges'][number]
    const { doc } = apply(flow, setDefault(flow, e3, true))
    expect(doc.edges[2]).toEqual({ id: 'e3', from: 'way', to: 'end', default: true })
    expect(doc.edges[3]?.default).toBeUndefined()
    const later = reorderEdge(flow, e3, 1)
    expect(later && apply(flow, later).doc.edges.map((e) => e.id)).toEqual(['e1', 'e2', 'e4', 'e3'])
    expect(reorderEdge(flow, e3, -1)).toBeNull()
  })
})

describe('the clipboard', () => {
  it('pastes with new ids and the edges between', () => {
    const clip = readClip(copyText(flow, new Set(['a1', 'way', 'b1'])) ?? '')
    if (!clip) throw new Error('not a clip')
    const { command, ids } = paste(flow, clip, { x: 8, y: 16 })
    const { doc } = apply(flow, command)
    expect(ids).toEqual(['a2', 'way1', 'b2'])
    expect(doc.edges.slice(4).map(({ from, to }) => [from, to])).toEqual([
      ['a2', 'way1'],
      ['way1', 'b2'],
    ])
    expect(doc.nodes.at(-1)?.position).toEqual({ x: 512, y: 120 })
  })

  it('has one start a flow, and minds nobody else’s text', () => {
    const clip = readClip(copyText(flow, new Set(['start'])) ?? '')
    expect(clip && paste(flow, clip, { x: 0, y: 0 }).ids).toEqual([])
    expect(readClip('{"nodes": []}')).toBeNull()
    expect(readClip('hello')).toBeNull()
  })
})

describe('the layout', () => {
  it('goes from left to right and covers nothing', () => {
    const places = arrange(flow)
    const x = (id: string) => places.get(id)?.x ?? Number.NaN
    expect(x('start')).toBeLessThan(x('a1'))
    expect(x('a1')).toBeLessThan(x('way'))
    expect(x('way')).toBeLessThan(x('b1'))
    expect(new Set([...places.values()].map((p) => `${p.x},${p.y}`)).size).toBe(flow.nodes.length)
  })

  it('takes thousands of nodes', () => {
    const nodes = Array.from({ length: 5000 }, (_, i) => ({ id: `n${i}`, type: 'task' as const }))
    const edges = nodes.slice(1).map((n, i) => ({ id: `e${i}`, from: `n${Math.floor(i / 2)}`, to: n.id }))
    expect(arrange({ nodes, edges }).size).toBe(5000)
  })
})

describe('the scope of an expression', () => {
  it('holds variables and the outputs of nodes before', () => {
    const plugins = [
      {
        id: 'p',
        version: '1.0.0',
        digest: '',
        grants: [],
        enabled: true,
        manifest: {
          format: 'culm.plugin/v1',
          id: 'p',
          version: '1.0.0',
          title: 'P',
          actions: [
            {
              id: 'x',
              title: 'X',
              inputs: {},
              outputs: { properties: { list: { type: 'array', items: { type: 'string' } } } },
            },
          ],
        },
      },
    ]
    const names = (at: string) => scopeOf(flow, plugins, at).map((s) => `${s.name}: ${s.type}`)
    expect(names('way')).toContain('nodes.a1.outputs.list: string[]')
    expect(names('way')).toContain('count: integer')
    expect(names('a1').some((n) => n.startsWith('nodes.'))).toBe(false)
  })
})
