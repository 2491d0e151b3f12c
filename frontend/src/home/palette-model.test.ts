import { describe, expect, it } from 'vitest'
import { type Entry, grouped, matching } from './palette-model'

const entry = (id: string, group: Entry['group'], label: string, also = ''): Entry => ({
  id,
  group,
  label,
  also,
  run: () => undefined,
})
const all = [
  entry('a', 'pages', '任务', 'runs'),
  entry('b', 'actions', '查看失败的任务', 'failed runs'),
  entry('c', 'flows', 'Nightly runs'),
]

describe('the palette', () => {
  it('finds by all words, also by those of the other language, and puts beginnings first', () => {
    expect(matching(all, 'RUNS').map((e) => e.id)).toEqual(['a', 'b', 'c'])
    expect(matching(all, 'runs failed').map((e) => e.id)).toEqual(['b'])
    expect(matching(all, '任务').map((e) => e.id)).toEqual(['a', 'b'])
    expect(matching(all, 'night').map((e) => e.id)).toEqual(['c'])
    expect(matching(all, ' ')).toHaveLength(3)
  })

  it('shows what was looked for above what is always there', () => {
    expect(grouped(all).map((g) => g.group)).toEqual(['flows', 'pages', 'actions'])
  })
})
