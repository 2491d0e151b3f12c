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
    const { document } = merge(base, mine, theirs, 'theirs')
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

describe('a finer merge', () => {
  it('joins what both changed of one node, property by property', () => {
    const mine = withNode(base, 'b', { name: 'mine', inputs: { x: 1, mine: true } })
    const theirs = withNode(base, 'b', { doc: 'theirs', inputs: { x: 1, theirs: true } })
    const { document, clashes, taken } = merge(base, mine, theirs, 'mine')
    expect(clashes).toEqual([])
    expect(taken).toBe(1)
    expect(document.nodes[1]).toMatchObject({ name: 'mine', doc: 'theirs', inputs: { x: 1, mine: true, theirs: true } })
  })

  it('lets a person choose for each clash', () => {
    const mine = withNode(base, 'b', { name: 'mine', inputs: { x: 2 } })
    const theirs = withNode(base, 'b', { name: 'theirs', inputs: { x: 3 } })
    const { clashes } = merge(base, mine, theirs, 'mine')
    expect(clashes.map((c) => [c.id, c.mine, c.theirs])).toEqual([
      ['nodes/b/inputs/x', 2, 3],
      ['nodes/b/name', 'mine', 'theirs'],
    ])
    const chosen = merge(base, mine, theirs, 'mine', new Map([['nodes/b/inputs/x', 'theirs']]))
    expect(chosen.document.nodes[1]).toMatchObject({ name: 'mine', inputs: { x: 3 } })
  })

  it('takes a node whole when one side made it do something else', () => {
    const acting = withNode(base, 'b', { plugin: 'core', action: 'one' })
    const mine = withNode(acting, 'b', { action: 'two', inputs: { other: 1 } })
    const theirs = withNode(acting, 'b', { inputs: { x: 9 } })
    const { clashes, document } = merge(acting, mine, theirs, 'mine')
    expect(clashes.map((c) => c.path)).toEqual([[]])
    expect(document.nodes[1]).toMatchObject({ action: 'two', inputs: { other: 1 } })
  })

  it('asks nobody where a node stands', () => {
    const mine = withNode(base, 'b', { position: { x: 1, y: 1 } })
    const theirs = withNode(base, 'b', { position: { x: 2, y: 2 } })
    const { clashes, document } = merge(base, mine, theirs, 'theirs')
    expect(clashes).toEqual([])
    expect(document.nodes[1]?.position).toEqual({ x: 1, y: 1 })
  })

  it('keeps both of two new things that got one id', () => {
    const add = (name: string): Flow => ({
      ...base,
      nodes: [...base.nodes, { id: 'task1', type: 'task', name, position: { x: 0, y: 0 } }],
      edges: [...base.edges, { id: 'e3', from: 'a', to: 'task1' }],
    })
    const theirs = { ...add('theirs'), edges: [...base.edges, { id: 'e3', from: 'b', to: 'task1' }] }
    const { document, clashes, renamed } = merge(base, add('mine'), theirs, 'mine')
    expect(clashes).toEqual([])
    expect(
      document.nodes
        .filter((n) => n.id.startsWith('task'))
        .map((n) => n.name)
        .sort(),
    ).toEqual(['mine', 'theirs'])
    expect(document.edges).toHaveLength(4)
    const mine = renamed.get('task1')
    expect(document.edges.find((e) => e.from === 'a' && e.to === mine)).toBeDefined()
    expect(document.edges.find((e) => e.from === 'b' && e.to === 'task1')).toBeDefined()
  })

  it('asks when one removed the node that the other drew a line to', () => {
    const mine: Flow = { ...base, edges: [...base.edges, { id: 'e9', from: 'a', to: 'c' }] }
    const theirs: Flow = { ...base, nodes: base.nodes.filter((n) => n.id !== 'c'), edges: base.edges.slice(0, 1) }
    const kept = merge(base, mine, theirs, 'mine')
    expect(kept.clashes.map((c) => c.id)).toEqual(['nodes/c'])
    expect(kept.document.edges.map((e) => e.id)).toContain('e9')
    expect(merge(base, mine, theirs, 'theirs').document.nodes.map((n) => n.id)).toEqual(['a', 'b'])
  })

  it('takes the order of the side that changed it', () => {
    const theirs: Flow = { ...base, edges: [...base.edges].reverse() }
    const mine: Flow = { ...base, edges: [...base.edges, { id: 'e3', from: 'a', to: 'c' }] }
    expect(merge(base, mine, theirs, 'mine').document.edges.map((e) => e.id)).toEqual(['e2', 'e3', 'e1'])
    expect(merge(base, theirs, base, 'mine').document.edges.map((e) => e.id)).toEqual(['e2', 'e1'])
  })
})
