import { describe, expect, it } from 'vitest'
import { draft, earlier, placeIn, wordOf } from './place'

describe('the places of a history', () => {
  it('are read from an address as they are written', () => {
    for (const word of ['draft', 'v1', 'v42', 'r7']) expect(wordOf(placeIn(word) ?? draft)).toBe(word)
  })

  it('are none where an address says something else', () => {
    for (const word of [undefined, '', 'v0', 'v01x', 'x3', 'r-1', 'v1.5', 'Draft'])
      expect(placeIn(word)).toBeUndefined()
  })

  it('are compared with what came before', () => {
    expect(earlier(draft, 3, [])).toEqual({ kind: 'version', number: 3 })
    expect(earlier(draft, 0, [])).toBeUndefined()
    expect(earlier({ kind: 'version', number: 3 }, 5, [])).toEqual({ kind: 'version', number: 2 })
    expect(earlier({ kind: 'version', number: 1 }, 5, [])).toBeUndefined()
  })

  it('skip the saves that are not kept', () => {
    expect(earlier({ kind: 'revision', number: 9 }, 1, [9, 4, 2])).toEqual({ kind: 'revision', number: 4 })
    expect(earlier({ kind: 'revision', number: 2 }, 1, [9, 4, 2])).toBeUndefined()
  })
})
