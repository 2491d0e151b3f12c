import { describe, expect, it } from 'vitest'
import type { FlowEdge, FlowNode } from '~/api/types'
import { lanePath, lanesOf } from './route'

const node = (id: string, x: number, y: number): FlowNode => ({ id, type: 'task', position: { x, y } })
const edge = (from: string, to: string): FlowEdge => ({ id: `${from}${to}`, from, to })

describe('lanes', () => {
  it('lead around a node in the way', () => {
    const lanes = lanesOf([node('a', 0, 0), node('b', 300, 0), node('c', 600, 0)], [edge('a', 'c'), edge('a', 'b')])
    expect([...lanes.keys()]).toEqual(['ac'])
    const lane = lanes.get('ac') as number
    expect(lane < 0 || lane > 64).toBe(true)
  })

  it('are not made where the way is free', () => {
    expect(lanesOf([node('a', 0, 0), node('b', 300, 200), node('c', 600, 0)], [edge('a', 'c')]).size).toBe(0)
    expect(lanesOf([node('a', 600, 0), node('b', 300, 0), node('c', 0, 0)], [edge('a', 'c')]).size).toBe(0)
  })

  it('go from end to end', () => {
    const [path, x, y] = lanePath({ sourceX: 0, sourceY: 0, targetX: 400, targetY: 50 }, -40)
    expect(path.startsWith('M0 0')).toBe(true)
    expect(path.endsWith('L400 50')).toBe(true)
    expect(x).toBeGreaterThan(0)
    expect(x).toBeLessThan(400)
    expect(y).toBe(-40)
  })
})
