import { describe, expect, it } from 'vitest'
import { scaleOf } from './pixels'
import { pageOf, rowsOf } from './rows'

const scaled = (size: { width: number; height: number }) => {
  const rows = rowsOf(size)
  return rows ? scaleOf(pageOf(rows, size.height)) : scaleOf(size)
}

describe('a picture as pixels', () => {
  it('of 2,000 nodes in one row is a page that can be read', () => {
    const row = { width: 2000 * 280, height: 144 }
    expect(scaleOf(row)).toBeLessThan(0.03)
    expect(scaled(row)).toBeGreaterThan(0.9)
  })

  it('is whole where it can be read, and where rows would not help', () => {
    expect(rowsOf({ width: 4000, height: 2000 })).toBeNull()
    expect(rowsOf({ width: 20_000, height: 4000 })).toBeNull()
    expect(rowsOf({ width: 40_000, height: 40_000 })).toBeNull()
    expect(rowsOf({ width: 200, height: 500_000 })).toBeNull()
  })

  it('is no smaller in rows than whole, and the rows reach to its end', () => {
    for (const width of [30_000, 100_000, 2_000_000])
      for (const height of [100, 1000, 10_000]) {
        const rows = rowsOf({ width, height })
        expect(scaled({ width, height })).toBeGreaterThanOrEqual(scaleOf({ width, height }))
        if (rows) expect((rows.count - 1) * rows.step + rows.width).toBeGreaterThanOrEqual(width)
      }
  })
})
