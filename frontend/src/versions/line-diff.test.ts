import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { linesOf } from './line-diff'

describe('two texts laid over each other', () => {
  it('keep common lines and mark the others', () => {
    expect(linesOf('a\nb\nc', 'a\nx\nc\nd').map((l) => `${l.kind[0]}${l.text}`)).toEqual(['sa', 'rb', 'ax', 'sc', 'ad'])
  })

  it('hold both texts whole', () => {
    const texts = fc.array(fc.constantFrom('a', 'b', 'c', ''), { minLength: 1, maxLength: 12 })
    fc.assert(
      fc.property(texts, texts, (a, b) => {
        const lines = linesOf(a.join('\n'), b.join('\n'))
        expect(lines.filter((l) => l.kind !== 'added').map((l) => l.text)).toEqual(a)
        expect(lines.filter((l) => l.kind !== 'removed').map((l) => l.text)).toEqual(b)
      }),
    )
  })

  it('are shown one above the other when they are too large', () => {
    const [a, b] = [Array.from({ length: 1200 }, (_, i) => `a${i}`), Array.from({ length: 1200 }, (_, i) => `b${i}`)]
    expect(linesOf(a.join('\n'), b.join('\n'))).toHaveLength(2400)
  })
})
