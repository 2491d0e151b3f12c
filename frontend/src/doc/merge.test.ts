import { describe, expect, it } from 'vitest'
import type { Flow } from '~/api/types'
import { merge } from './merge'

const base: Flow = {
  format: 'culm.flow/v1',
  name: 'flow',
  nodes: [
    { id: 'a', type: 'start', position: { x: 0, y: 0 } },
    { id: 'b', type: 'task', inputs: { x: 1 }, position: { x: 100, y: 0 } },
    { id: 'c', type: 'end', position: { x: 400, y: 0 } },
  ],
  edges: [
    { id: 'e1', from: 'a', to: 'b' },
    { id: 'e2', from: 'b', to: 'c' },
  ],
}

const withNode = (flow: Flow, id: string, patch: object): Flow => ({
  ...flow,
  nodes: flow.nodes.map((n) => (n.id === id ? { ...n, ...patch } : n)),
})

const unknown = (doc: Flow, more: object): Flow => ({ ...doc, ...more })

describe('fields of the document itself', () => {
  const base: Flow = { format: 'culm.flow/v1', name: 'f', nodes: [], edges: [] }

  it('come from the side that changed them, known or not', () => {
    const mine = unknown(base, { timeout_ms: 1000 })
    const theirs = unknown(base, { schemes: [{ id: 's' }], later: { than: 'this version' } })
    const { document, clashes } = merge(base, mine, theirs, 'mine')
    expect(document).toEqual(
      unknown(base, { timeout_ms: 1000, schemes: [{ id: 's' }], later: { than: 'this version' } }),
    )
    expect(clashes).toEqual([])
  })

  it('go when one side took them out', () => {
    const { document } = merge(unknown(base, { timeout_ms: 1000 }), base, unknown(base, { timeout_ms: 1000 }), 'mine')
    expect('timeout_ms' in document).toBe(false)
  })
})

describe('merge', () => {
  it('takes from each side what only that side changed', () => {
    const mine = { ...withNode(base, 'b', { inputs: { x: 2 } }), variables: [{ name: 'v', source: 'input' as const }] }
    const theirs = { ...base, name: 'renamed', nodes: [...base.nodes, { id: 'd', type: 'task' as const }] }
    const { document, clashes, taken } = merge(base, mine, theirs, 'mine')
    expect(clashes).toEqual([])
    expect(taken).toBe(2)
    expect(document.name).toBe('renamed')
    expect(document.nodes.map((n) => n.id)).toEqual(['a', 'b', 'c', 'd'])
    expect(document.nodes[1]?.inputs).toEqual({ x: 2 })
    expect(document.variables).toHaveLength(1)
  })

  it('lists what both changed and lets the caller prefer a side', () => {
    const mine = withNode(base, 'b', { inputs: { x: 2 } })
    const theirs = withNode(base, 'b', { inputs: { x: 3 } })
    expect(merge(base, mine, theirs, 'mine').document.nodes[1]?.inputs).toEqual({ x: 2 })
    const other = merge(base, mine, theirs, 'theirs')
    expect(other.document.nodes[1]?.inputs).toEqual({ x: 3 })
    expect(other.clashes).toMatchObject([{ list: 'nodes', key: 'b' }])
  })

  it('keeps the places of nodes where the stored document has none', () => {
    const bare = base.nodes.map(({ position: _position, ...n }) => n)
    const theirs = { ...base, nodes: [...bare, { id: 'd', type: 'task' as const }] }
    const { document, taken, clashes } = merge(base, base, theirs, 'mine')
    expect({ taken, clashes }).toEqual({ taken: 1, clashes: [] })
    expect(document.nodes.slice(0, 3)).toEqual(base.nodes)
    expect(document.nodes[3]?.position?.y).toBeGreaterThan(44)
  })

  it('keeps no edge to a node that the other side removed', () => {
    const mine = { ...base, edges: [...base.edges, { id: 'e3', from: 'a', to: 'b' }] }
    const theirs = { ...base, nodes: base.nodes.filter((n) => n.id !== 'b'), edges: [] }
    const { document } = merge(base, mine, theirs, 'mine')
    expect(document.nodes.map((n) => n.id)).toEqual(['a', 'c'])
    expect(document.edges).toEqual([])
  })

  it('is not disturbed by the order of properties', () => {
    const mine = {
      ...base,
      nodes: base.nodes.map(
        (n) => Object.fromEntries(Object.entries(n).reverse()) as unknown as (typeof base.nodes)[0],
      ),
    }
    const theirs = withNode(base, 'b', { inputs: { x: 9 } })
    expect(merge(base, mine, theirs, 'mine')).toMatchObject({ clashes: [], taken: 1 })
  })
})
