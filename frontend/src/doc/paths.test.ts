import { describe, expect, it } from 'vitest'
import type { Flow } from '~/api/types'
import { pathNodes, topOf } from './paths'

const flow = (nodes: Flow['nodes'], subflows?: Flow['subflows']): Flow => ({
  format: 'culm.flow/v1',
  name: 'f',
  nodes,
  edges: [],
  ...(subflows ? { subflows } : {}),
})

describe('paths', () => {
  it('lead through inline subflows, and not into independent ones', () => {
    const doc = flow(
      [
        { id: 'a', type: 'task' },
        { id: 'deploy', type: 'subflow', flow: 'deploy', version: 2 },
        { id: 'apart', type: 'subflow', flow: 'deploy', version: 2, mode: 'independent' },
      ],
      {
        'deploy@2': flow([{ id: 'check', type: 'subflow', flow: 'check' }]),
        check: flow([{ id: 'ping', type: 'task' }]),
      },
    )
    expect(pathNodes(doc).map((n) => `${n.depth} ${n.path}`)).toEqual([
      '0 a',
      '0 deploy',
      '1 deploy.check',
      '2 deploy.check.ping',
      '0 apart',
    ])
    expect(topOf('deploy.check.ping')).toBe('deploy')
  })

  it('end where a document contains itself', () => {
    const inner = flow([{ id: 'again', type: 'subflow', flow: 'x' }])
    const doc = flow([{ id: 's', type: 'subflow', flow: 'x' }], { x: inner })
    expect(pathNodes(doc).length).toBeLessThan(20)
  })
})
