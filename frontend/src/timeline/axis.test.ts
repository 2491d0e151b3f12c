import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { axisOf, placeOf, ticksOf, timeOf } from './axis'
import type { Track } from './tracks'

const track = (...spans: [string, number, number][]): Track => ({
  path: 'a',
  state: 'succeeded',
  attempts: 1,
  spans: spans.map(([state, from, to]) => ({ state: state as Track['state'], from, to, attempt: 1 })),
})

const hour = 3_600_000

describe('the axis of a timeline', () => {
  it('draws a night of waiting short, and the work around it to one scale', () => {
    const tracks = [
      track(['running', 0, 10_000], ['waiting', 10_000, 8 * hour], ['running', 8 * hour, 8 * hour + 10_000]),
    ]
    const axis = axisOf(tracks, 0, 8 * hour + 10_000, true)
    expect(axis.segments.map((s) => s.squeezed)).toEqual([false, true, false])
    const [before, night, after] = axis.segments.map((s) => s.right - s.left)
    expect(night).toBeLessThan(0.1)
    expect(before).toBeCloseTo(after ?? 0)
  })

  it('is plain when nothing is to be squeezed', () => {
    const axis = axisOf([track(['waiting', 0, hour])], 0, hour, false)
    expect(axis.segments).toEqual([{ from: 0, to: hour, left: 0, right: 1, squeezed: false }])
    expect(placeOf(axis, hour / 4)).toBeCloseTo(0.25)
  })

  it('never draws a later time before an earlier one, and nothing outside', () => {
    const span = fc.tuple(fc.constantFrom('running', 'waiting', 'failed'), fc.nat(1e9), fc.nat(1e7))
    fc.assert(
      fc.property(
        fc.array(span, { maxLength: 20 }),
        fc.array(fc.nat(1e9), { minLength: 2 }),
        fc.boolean(),
        (spans, times, squeeze) => {
          const tracks = spans.map(([state, from, length]) => track([state, from, from + length]))
          const axis = axisOf(tracks, 0, 1e9, squeeze)
          let last = 0
          for (const time of [...times].sort((a, b) => a - b)) {
            const at = placeOf(axis, time)
            expect(at).toBeGreaterThanOrEqual(last)
            expect(at).toBeLessThanOrEqual(1)
            last = at
          }
          for (const [i, s] of axis.segments.entries()) {
            expect(s.from).toBe(i === 0 ? 0 : axis.segments[i - 1]?.to)
            expect(s.right).toBeGreaterThanOrEqual(s.left)
          }
        },
      ),
    )
  })

  it('leads from a place back to its time', () => {
    const tracks = [track(['running', 0, 10_000], ['waiting', 10_000, hour], ['running', hour, hour + 5000])]
    const axis = axisOf(tracks, 0, hour + 5000, true)
    for (const time of [0, 1234, 10_000, hour / 2, hour, hour + 4999]) {
      expect(timeOf(axis, placeOf(axis, time))).toBeCloseTo(time, 3)
    }
  })

  it('has marks at round times that do not touch', () => {
    const axis = axisOf([track(['running', 0, 47_000])], 0, 47_000, true)
    const ticks = ticksOf(axis, 0, 0.1)
    expect(ticks.map((t) => t.after)).toEqual([0, 5000, 10_000, 15_000, 20_000, 25_000, 30_000, 35_000, 40_000])
  })
})
