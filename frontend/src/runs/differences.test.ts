import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Json } from '~/api/types'
import { differences, differencesMax } from './differences'

describe('the differences of two values', () => {
  it('are told by the path that an expression would write', () => {
    const before = { hosts: [{ ip: '10.0.0.1' }, { ip: '10.0.0.2' }], labels: { 'a b': 1 }, same: [1], gone: true }
    const after = { hosts: [{ ip: '10.0.0.1' }, { ip: '10.0.0.9' }, { ip: 'new' }], labels: { 'a b': 2 }, same: [1] }
    expect(differences(before, after)).toEqual([
      { path: 'hosts[1].ip', before: '10.0.0.2', after: '10.0.0.9' },
      { path: 'hosts[2]', before: undefined, after: { ip: 'new' } },
      { path: 'labels["a b"]', before: 1, after: 2 },
      { path: 'gone', before: true, after: undefined },
    ])
  })

  it('tell false, zero, empty and null apart', () => {
    const seen = differences({ a: false, b: 0, c: '', d: null }, { a: null, b: false, c: 0, d: '' })
    expect(seen.map((d) => d.path)).toEqual(['a', 'b', 'c', 'd'])
  })

  it('name a list that became an object as a whole', () => {
    expect(differences([1], { 0: 1 })).toEqual([{ path: '', before: [1], after: { 0: 1 } }])
  })

  it('are none exactly when the values are equal, and never more than can be read', () => {
    const json = fc.jsonValue() as fc.Arbitrary<Json>
    fc.assert(
      fc.property(json, json, (a, b) => {
        const normal = (v: Json) => JSON.parse(JSON.stringify(v)) as Json
        const [x, y] = [normal(a), normal(b)]
        expect(differences(x, x)).toEqual([])
        expect(differences(x, y).length === 0).toBe(equal(x, y))
        expect(differences(y, x).length).toBe(differences(x, y).length)
      }),
    )
    const many = Array.from({ length: 2000 }, (_, i) => i)
    expect(differences(many, many.map(String))).toHaveLength(differencesMax)
  })
})

function equal(a: Json, b: Json): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const [x, y] = [a as { [k: string]: Json }, b as { [k: string]: Json }]
  const keys = Object.keys(x)
  return (
    keys.length === Object.keys(y).length && keys.every((k) => Object.hasOwn(y, k) && equal(x[k] ?? null, y[k] ?? null))
  )
}
