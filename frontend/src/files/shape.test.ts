import { describe, expect, it } from 'vitest'
import type { Json } from '~/api/types'
import { misfitsOf } from './shape'

const flow = {
  format: 'culm.flow/v1',
  name: { en: 'A', zh: '甲' },
  variables: [{ name: 'v', source: 'input', schema: { type: 'string', anything: [1] }, value: null }],
  nodes: [
    { id: 'start', type: 'start', position: { x: 0.5, y: 0 } },
    { id: 'go', type: 'subflow', flow: 'other', inputs: { deep: { at: [1, { b: null }] } }, retry: { max: 2 } },
  ],
  edges: [{ id: 'e1', from: 'start', to: 'go' }],
  schemes: [{ id: 's', without: ['go'] }],
  subflows: { other: { format: 'culm.flow/v1', name: 'B', nodes: [], edges: [] } },
}
const changed = (change: (f: typeof flow) => void): Json => {
  const copy = structuredClone(flow)
  change(copy)
  return copy as unknown as Json
}

describe('the shape of a flow document', () => {
  it('fits a document that uses what the format has', () => {
    expect(misfitsOf(flow as unknown as Json)).toEqual([])
  })

  it.each<[string, string, (f: typeof flow) => void]>([
    ['UNKNOWN_FIELD', '/nodes/1/plugn', (f) => Object.assign(f.nodes[1] as object, { plugn: 'x' })],
    ['UNKNOWN_FIELD', '/nodes/0/position/z', (f) => Object.assign(f.nodes[0]?.position as object, { z: 1 })],
    ['WRONG_WORD', '/nodes/0/type', (f) => Object.assign(f.nodes[0] as object, { type: 'begin' })],
    ['WRONG_TYPE', '/nodes', (f) => Object.assign(f, { nodes: {} })],
    ['WRONG_TYPE', '/nodes/1/retry/max', (f) => Object.assign(f.nodes[1]?.retry as object, { max: 1.5 })],
    ['WRONG_TYPE', '/name', (f) => Object.assign(f, { name: 3 })],
    ['MISSING_FIELD', '/edges/0', (f) => Object.assign(f, { edges: [{ id: 'e1', from: 'start' }] })],
    ['WRONG_TYPE', '/subflows/other/nodes', (f) => Object.assign(f.subflows.other, { nodes: 1 })],
    ['WRONG_FORMAT', '/format', (f) => Object.assign(f, { format: 'culm.flow/v9' })],
    ['TWICE', '/nodes/1/id', (f) => Object.assign(f.nodes[1] as object, { id: 'start' })],
  ])('names %s at %s', (code, pointer, change) => {
    expect(misfitsOf(changed(change))).toMatchObject([{ code, pointer }])
  })

  it('says everything at once', () => {
    expect(misfitsOf({ nodes: [{}], edges: 1 }).map((m) => `${m.code} ${m.pointer} ${m.args.name ?? ''}`)).toEqual([
      'MISSING_FIELD /nodes/0 id',
      'MISSING_FIELD /nodes/0 type',
      'WRONG_TYPE /edges ',
      'MISSING_FIELD  format',
      'MISSING_FIELD  name',
    ])
  })

  it('refuses what is no object', () => {
    for (const value of [null, 1, 'text', []] as Json[])
      expect(misfitsOf(value)).toMatchObject([{ pointer: '', code: 'WRONG_TYPE' }])
  })
})
