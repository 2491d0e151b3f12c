import { describe, expect, it } from 'vitest'
import { revealed, windowOf } from './window'

describe('the rows that are drawn', () => {
  it('are those that are seen and a few around, however long the list is', () => {
    expect(windowOf(0, 340, 34, 100_000)).toEqual({ start: 0, end: 18 })
    expect(windowOf(34_000, 340, 34, 100_000)).toEqual({ start: 992, end: 1018 })
    expect(windowOf(0, 340, 34, 3)).toEqual({ start: 0, end: 3 })
  })

  it('are none of an empty list, and the last ones when the list got shorter', () => {
    expect(windowOf(5000, 340, 34, 0)).toEqual({ start: 0, end: 0 })
    expect(windowOf(5000, 340, 34, 10)).toEqual({ start: 9, end: 10 })
  })

  it('come into sight with the least movement', () => {
    expect(revealed(5, 0, 340, 34)).toBe(0)
    expect(revealed(10, 0, 340, 34)).toBe(34)
    expect(revealed(2, 340, 340, 34)).toBe(68)
  })
})
