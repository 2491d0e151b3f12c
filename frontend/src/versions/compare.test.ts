import { describe, expect, it } from 'vitest'
import type { Flow } from '~/api/types'
import { compare } from './compare'

const flow = (more: Partial<Flow>): Flow => ({ format: 'culm.flow/v1', name: 'f', nodes: [], edges: [], ...more })
const note = (id: string, more: object = {}) => ({ id, text: id, x: 0, y: 0, w: 208, h: 120, ...more })

describe('two documents compared', () => {
  it('tell of a note what it says, its colour and its size, and a move by itself', () => {
    const before = flow({ notes: [note('kept'), note('moved'), note('gone')] })
    const after = flow({
      notes: [note('kept', { text: 'now', colour: 'blue', w: 320, x: 8 }), note('moved', { x: 40 }), note('new')],
    })
    expect(compare(before, after).map(({ id, kind, fields }) => [id, kind, fields])).toEqual([
      [
        'notes/kept',
        'changed',
        [
          { path: ['text'], before: 'kept', after: 'now' },
          { path: ['colour'], before: undefined, after: 'blue' },
          { path: ['size'], before: [208, 120], after: [320, 120] },
        ],
      ],
      ['notes/moved', 'moved', [{ path: ['position'], before: { x: 0, y: 0 }, after: { x: 40, y: 0 } }]],
      ['notes/new', 'added', expect.arrayContaining([{ path: ['text'], before: undefined, after: 'new' }])],
      ['notes/gone', 'removed', expect.arrayContaining([{ path: ['text'], before: 'gone', after: undefined }])],
    ])
  })

  it('tell of a scheme which nodes it treats otherwise, one by one', () => {
    const before = flow({ schemes: [{ id: 'quick', name: 'Quick', without: ['a', 'b'] }, { id: 'old' }] })
    const after = flow({
      schemes: [
        { id: 'quick', name: 'Quick', without: ['b', 'c'] },
        { id: 'new', without: ['a'] },
      ],
    })
    expect(compare(before, after).map(({ id, kind, fields }) => [id, kind, fields])).toEqual([
      [
        'schemes/quick',
        'changed',
        [
          { path: ['without', 'c'], before: 'run', after: 'skip' },
          { path: ['without', 'a'], before: 'skip', after: 'run' },
        ],
      ],
      ['schemes/new', 'added', [{ path: ['without', 'a'], before: undefined, after: 'skip' }]],
      ['schemes/old', 'removed', []],
    ])
  })

  it('tell another order only where a person sees it', () => {
    const variables = ['a', 'b'].map((name) => ({ name, source: 'input' as const }))
    const notes = [note('a'), note('b')]
    const before = flow({ variables, notes })
    const after = flow({ variables: [...variables].reverse(), notes: [...notes].reverse() })
    expect(compare(before, after).map(({ id, kind }) => [id, kind])).toEqual([['variables', 'moved']])
  })
})
