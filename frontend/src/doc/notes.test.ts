import { describe, expect, it } from 'vitest'
import type { Flow, FlowNode } from '~/api/types'
import { addNote, noteSize } from './notes'

const node = (id: string, x: number, y: number): FlowNode => ({ id, type: 'task', position: { x, y } })
const flow = (...nodes: FlowNode[]): Flow => ({ format: 'culm.flow/v1', id: 'f', name: 'F', nodes, edges: [] })

describe('a new note', () => {
  it('stands with its middle where it was asked for', () => {
    const { item } = addNote(flow(), { x: 304, y: 196 })
    expect(item).toMatchObject({ x: 200, y: 136, ...noteSize })
  })

  it('goes above the nodes that would hide what it says', () => {
    const { item } = addNote(flow(node('a', 200, 100), node('b', 200, -60)), { x: 304, y: 130 })
    expect(item.y + noteSize.h).toBeLessThanOrEqual(-60)
    expect(item.x).toBe(200)
  })

  it('does not cover the one that was made before it', () => {
    const doc = flow(node('a', 200, 100))
    const first = addNote(doc, { x: 300, y: 130 }).item
    const second = addNote({ ...doc, notes: [first] }, { x: 300, y: 130 }).item
    expect([second.id, Math.abs(second.x - first.x) >= 24 || Math.abs(second.y - first.y) >= 24]).toEqual([
      'note2',
      true,
    ])
    expect(second.y + noteSize.h).toBeLessThanOrEqual(100)
  })
})
