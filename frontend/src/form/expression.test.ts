import { describe, expect, it } from 'vitest'
import { expressionsIn, expressionsOf, holdsExpression, isExpression, namesIn, nodesIn } from './expression'

const inside = (text: string) => expressionsIn(text).map(({ from, to }) => text.slice(from, to))

describe('expressions in texts', () => {
  it('are found with braces and strings inside', () => {
    expect(inside('a ${x} b ${ {"k": "}"}["k"] } c')).toEqual(['${x}', '${ {"k": "}"}["k"] }'])
    expect(inside('$${x} and $x and ${y')).toEqual(['${y'])
    expect(inside('$$${x}')).toEqual([])
  })

  it('are one value only when nothing is around them', () => {
    expect(isExpression('${x}')).toBe(true)
    expect(isExpression('a ${x}')).toBe(false)
    expect(holdsExpression('a ${x}')).toBe(true)
    expect(holdsExpression('$${x}')).toBe(false)
  })

  it('are found in values of any shape', () => {
    expect(expressionsOf({ a: ['${x}', { b: 'n ${y + 1}' }], c: 3, d: null })).toEqual(['x', 'y + 1'])
  })
})

describe('names in CEL', () => {
  it('are variables, not members, functions, strings or words of the language', () => {
    expect(namesIn('hosts.size() > count && "hosts2" in nodes.a.outputs.list && true')).toEqual(['hosts', 'count'])
    expect(namesIn('size(hosts) > 0')).toEqual(['hosts'])
    expect(namesIn('{key: 1}')).toEqual([])
  })

  it('leave out what a macro binds', () => {
    expect(namesIn('hosts.filter(h, h.up && limit > 1)')).toEqual(['hosts', 'limit'])
  })

  it('know which nodes are read', () => {
    expect(nodesIn('nodes.query.outputs.x + nodes.query.outputs.y + nodes.put.outputs.z')).toEqual(['query', 'put'])
  })
})
