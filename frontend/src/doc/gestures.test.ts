import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Flow, FlowDetail } from '~/api/types'
import { copyText, paste, readClip } from './clipboard'
import type { Command } from './commands'
import { removeAll } from './graph'
import { addNote, moveNotes, noteSizeFrom } from './notes'
import { addScheme, setLeftOut } from './schemes'
import { createDocStore } from './store'

const flow: Flow = {
  format: 'culm.flow/v1',
  name: 'base',
  nodes: [
    { id: 'a', type: 'start', position: { x: 0, y: 0 } },
    { id: 'b', type: 'task', optional: true, inputs: { x: 1 }, position: { x: 100, y: 0 } },
    { id: 'c', type: 'task', optional: true, position: { x: 300, y: 0 } },
    { id: 'd', type: 'end', position: { x: 500, y: 0 } },
  ],
  edges: [
    { id: 'e1', from: 'a', to: 'b' },
    { id: 'e2', from: 'b', to: 'c' },
    { id: 'e3', from: 'c', to: 'd' },
  ],
}

const detail: FlowDetail = {
  id: 'f',
  document: flow,
  revision: 1,
  version: 0,
  published_revision: 0,
  problems: [],
  updated_at: '',
  updated_by: '',
}

type Gesture = (doc: Flow) => Command

const some = fc.nat({ max: 9 })
const pick = <T extends { id: string }>(items: readonly T[] | undefined, n: number): string =>
  items?.[n % items.length]?.id ?? ''

/** What a person does: in forms, with variables, notes, schemes, and across the clipboard. */
const gesture: fc.Arbitrary<Gesture> = fc.oneof(
  fc.tuple(some, fc.jsonValue()).map(
    ([n, value]): Gesture =>
      (doc) => ({
        op: 'set',
        list: 'nodes',
        key: pick(doc.nodes, n),
        patch: { inputs: { x: value as never } },
      }),
  ),
  some.map(
    (n): Gesture =>
      () => ({
        op: 'insert',
        list: 'variables',
        items: [{ index: n, item: { name: `v${n}`, source: 'input' } }],
      }),
  ),
  some.map(
    (n): Gesture =>
      () => ({ op: 'remove', list: 'variables', keys: [`v${n}`] }),
  ),
  fc.tuple(fc.integer(), fc.integer()).map(
    ([x, y]): Gesture =>
      (doc) =>
        addNote(doc, { x, y }).command,
  ),
  fc.tuple(some, fc.string()).map(
    ([n, text]): Gesture =>
      (doc) => ({
        op: 'set',
        list: 'notes',
        key: pick(doc.notes, n),
        patch: { text: text || undefined, ...noteSizeFrom(n * 40, n * 30) },
      }),
  ),
  some.map(
    (n): Gesture =>
      (doc) =>
        moveNotes(doc, new Set([pick(doc.notes, n)]), { x: 8 * n, y: -16 }),
  ),
  fc.string().map(
    (name): Gesture =>
      (doc) =>
        addScheme(doc, name, doc.schemes?.[0]).command,
  ),
  fc.tuple(some, fc.subarray(['b', 'c'])).map(
    ([n, out]): Gesture =>
      (doc) =>
        setLeftOut(doc, pick(doc.schemes, n), new Set(out)),
  ),
  some.map(
    (n): Gesture =>
      (doc) => ({ op: 'remove', list: 'schemes', keys: [pick(doc.schemes, n)] }),
  ),
  fc.tuple(some, some).map(
    ([n, m]): Gesture =>
      (doc) =>
        removeAll(doc, new Set([pick(doc.nodes, n)]), new Set(), new Set([pick(doc.notes, m)])),
  ),
  some.map(
    (n): Gesture =>
      (doc) => {
        const text = copyText(doc, new Set([pick(doc.nodes, n)]), new Set(doc.notes?.map((note) => note.id)))
        const clip = text === null ? null : readClip(text)
        return clip ? paste(doc, clip, { x: 24, y: 24 }).command : { op: 'batch', commands: [] }
      },
  ),
)

describe('any row of gestures', () => {
  it('is taken back to the first document, and done again to the last', () => {
    fc.assert(
      fc.property(fc.array(gesture, { maxLength: 20 }), (gestures) => {
        const store = createDocStore(detail)
        for (const make of gestures) store.getState().commit(make(store.getState().doc))
        const last = store.getState().doc
        while (store.getState().undoable.length > 0) store.getState().undo()
        expect(store.getState().doc).toEqual(flow)
        while (store.getState().redoable.length > 0) store.getState().redo()
        expect(store.getState().doc).toEqual(last)
      }),
      { numRuns: 150 },
    )
  })

  it('leaves no scheme with a node that is gone, and no two notes or schemes with one id', () => {
    fc.assert(
      fc.property(fc.array(gesture, { maxLength: 20 }), (gestures) => {
        const store = createDocStore(detail)
        for (const make of gestures) store.getState().commit(make(store.getState().doc))
        const { nodes, schemes = [], notes = [] } = store.getState().doc
        const known = new Set(nodes.map((n) => n.id))
        for (const s of schemes) expect((s.without ?? []).every((id) => known.has(id))).toBe(true)
        for (const list of [schemes, notes]) expect(new Set(list.map((i) => i.id)).size).toBe(list.length)
      }),
      { numRuns: 150 },
    )
  })
})
