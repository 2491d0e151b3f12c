import { describe, expect, it } from 'vitest'
import type { Flow } from '~/api/types'
import { overlay } from './drawing'

const flow = (nodes: Flow['nodes'], edges: Flow['edges'] = []): Flow => ({
  format: 'culm.flow/v1',
  name: 'f',
  nodes,
  edges,
})
const task = (id: string, x: number, more: object = {}) => ({
  id,
  type: 'task' as const,
  position: { x, y: 0 },
  ...more,
})

describe('two documents on one drawing', () => {
  const before = flow(
    [task('kept', 0), task('gone', 300), task('other', 600)],
    [
      { id: 'e1', from: 'kept', to: 'gone' },
      { id: 'e2', from: 'kept', to: 'other' },
    ],
  )
  const after = flow(
    [task('kept', 0, { name: 'now' }), task('other', 800), task('new', 300)],
    [
      { id: 'e2', from: 'kept', to: 'other', condition: 'x' },
      { id: 'e3', from: 'kept', to: 'new' },
    ],
  )

  it('show what was added, removed, changed and moved', () => {
    const { nodes, edges, doc } = overlay(before, after, { before, after })
    expect(Object.fromEntries(nodes)).toEqual({ kept: 'changed', gone: 'removed', other: 'moved', new: 'added' })
    expect(Object.fromEntries(edges)).toEqual({ e1: 'removed', e2: 'changed', e3: 'added' })
    expect(doc.nodes.map((n) => n.id)).toEqual(['kept', 'other', 'new', 'gone'])
    expect(doc.edges.map((e) => e.id)).toEqual(['e2', 'e3', 'e1'])
  })

  it('leave what is gone where it can be seen', () => {
    const { doc } = overlay(before, after, { before, after })
    expect(doc.nodes.find((n) => n.id === 'gone')?.position).toEqual({ x: 300, y: 88 })
  })

  it('show notes of both sides, and what is gone under none that is there', () => {
    const note = (id: string, text: string) => ({ id, text, x: 0, y: 0, w: 208, h: 96 })
    const [b, a] = [
      { ...before, notes: [note('kept', 'x'), note('gone', 'y')] },
      { ...after, notes: [note('kept', 'z')] },
    ]
    const { notes, doc } = overlay(b, a, { before: b, after: a })
    expect(Object.fromEntries(notes)).toEqual({ kept: 'changed', gone: 'removed' })
    expect(doc.notes?.map(({ id, y }) => [id, y])).toEqual([
      ['kept', 0],
      ['gone', 120],
    ])
  })

  it('are not different where only the canvas gave places', () => {
    const bare = flow(after.nodes.map(({ position: _place, ...node }) => node))
    const drawn = { before: after, after: flow([task('kept', 40), task('other', 50), task('new', 60)]) }
    expect(overlay({ ...bare }, bare, drawn).changes).toEqual([])
  })

  it('are the newer one alone where there is no older one', () => {
    const alone = overlay(undefined, after, { after })
    expect(alone.doc).toBe(after)
    expect(alone.changes).toEqual([])
  })
})
