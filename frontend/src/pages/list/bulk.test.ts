import { describe, expect, it } from 'vitest'
import { atOnce, type Outcome, runErrand } from './bulk'

const say = (e: unknown) => (e as Error).message

describe('an errand for several things', () => {
  it('tells of each how it went, and a refusal stops no other', async () => {
    const out: Outcome[] = []
    await runErrand({
      items: [1, 2, 3],
      act: async (n) => {
        if (n === 2) throw new Error('ended')
        return `did ${n}`
      },
      say,
      onChange: (i, o) => {
        out[i] = o
      },
      stopped: () => false,
    })
    expect(out).toEqual([
      { state: 'done', text: 'did 1' },
      { state: 'refused', text: 'ended' },
      { state: 'done', text: 'did 3' },
    ])
  })

  it('works on a few at a time, and begins no more once it is stopped', async () => {
    let under = 0
    let most = 0
    let began = 0
    let stop = false
    await runErrand({
      items: Array.from({ length: 40 }, (_, i) => i),
      act: async () => {
        began++
        most = Math.max(most, ++under)
        await Promise.resolve()
        under--
        if (began >= 10) stop = true
        return undefined
      },
      say,
      onChange: () => undefined,
      stopped: () => stop,
    })
    expect(most).toBe(atOnce)
    expect(began).toBeLessThan(10 + atOnce)
  })
})
