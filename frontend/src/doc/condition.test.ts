import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type PlainCondition, type Rule, readCondition, writeCondition } from './condition'

describe('plain conditions', () => {
  it('read what people write', () => {
    expect(readCondition('count > 1 && env.zone == "cn-north"')).toEqual({
      join: 'all',
      rules: [
        { name: 'count', how: '>', value: '1', named: false },
        { name: 'env.zone', how: '==', value: 'cn-north', named: false },
      ],
    })
    expect(readCondition('!ok || name.contains("a || b")')?.join).toBe('any')
    expect(readCondition('zone in ["a", "b"]')?.rules[0]).toEqual({
      name: 'zone',
      how: 'in',
      value: 'a, b',
      named: false,
    })
    expect(readCondition('nodes.a.outputs.n == limit')?.rules[0]?.named).toBe(true)
    expect(readCondition('')).toEqual({ join: 'all', rules: [] })
  })

  it('leave alone what says more', () => {
    for (const cel of ['a && b || c', 'a.size() > 1', '(a > 1)', 'a + 1 > 2', 'l.all(x, x > 1)', 'true'])
      expect(readCondition(cel), cel).toBeNull()
  })

  it('say the same when they are written and read again', () => {
    const name = fc.constantFrom('count', 'env.zone', 'nodes.a.outputs.n', 'ok')
    const value = fc.oneof(
      fc.constantFrom('1', '-2.5', 'true', 'cn-north', 'it"s', "o'clock", 'a b', '1a', '中文', '&&', '$'),
      fc.string({ minLength: 1, maxLength: 6 }).filter((s) => s === s.trim() && !/[,\\'"]|[^ -~]/.test(s)),
    )
    const compare = fc.record({
      name,
      how: fc.constantFrom('==', '!=', '>', '>=', '<', '<=') as fc.Arbitrary<Rule['how']>,
      value,
      named: fc.constant(false),
    })
    const list = fc.record({
      name,
      how: fc.constant('in' as const),
      value: fc
        .array(fc.constantFrom('1', 'x', 'true', 'a b'), { minLength: 1, maxLength: 3 })
        .map((v) => v.join(', ')),
      named: fc.constant(false),
    })
    const flag = fc.record({
      name,
      how: fc.constantFrom('isTrue' as const, 'isFalse' as const),
      value: fc.constant(''),
      named: fc.constant(false),
    })
    const other = fc.record({
      name,
      how: fc.constant('==' as const),
      value: fc.constant('limit'),
      named: fc.constant(true),
    })
    const rules = fc.array(fc.oneof(compare, list, flag, other), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(rules, fc.constantFrom('all' as const, 'any' as const), (rules, join) => {
        const plain: PlainCondition = { join: rules.length > 1 ? join : 'all', rules }
        expect(readCondition(writeCondition(plain))).toEqual(plain)
      }),
    )
  })
})
