import { describe, expect, it } from 'vitest'
import type { Grant, Plugin, SystemView } from '~/api/types'
import { grantsAfter, groupsOf } from './access-model'

const operation = (id: string, risk: 'read' | 'write' = 'read') =>
  ({ id, title: id, method: 'GET', path: `/${id}`, retry: 'safe', risk, enabled: true }) as const

const systems: SystemView[] = [
  {
    id: 'cmdb',
    title: 'CMDB',
    base_url: 'http://a',
    credential_set: true,
    operations: [operation('find'), operation('drop', 'write')],
  },
  { id: 'mail', title: 'Mail', base_url: 'http://b', credential_set: false, operations: [operation('send', 'write')] },
]

function plugin(needs: Grant[], grants: Grant[]): Plugin {
  return {
    id: 'toy',
    version: '1.0.0',
    digest: 'sha256:0',
    enabled: true,
    grants,
    manifest: { format: 'culm.plugin/v1', id: 'toy', version: '1.0.0', title: 'Toy', actions: [], needs },
  }
}

const shape = (p: Plugin) =>
  groupsOf(p.manifest, p, systems).map((g) => [
    g.system,
    g.any,
    g.rows.map(
      (r) => `${r.operation}${r.granted ? ' granted' : ''}${r.stale ? ' stale' : ''}${r.known ? '' : ' unknown'}`,
    ),
  ])

describe('what a plugin asks for', () => {
  it('is listed by system, also what is not registered', () => {
    const p = plugin(
      [
        { system: 'cmdb', operation: 'find' },
        { system: 'cmdb', operation: 'gone' },
        { system: 'jobs', operation: 'run' },
      ],
      [{ system: 'cmdb', operation: 'find' }],
    )
    expect(shape(p)).toEqual([
      ['cmdb', false, ['find granted', 'gone unknown']],
      ['jobs', false, ['run unknown']],
    ])
  })

  it('is every operation there is, where it asks for any', () => {
    expect(shape(plugin([{ system: 'cmdb', operation: '*' }], []))).toEqual([['cmdb', true, ['find', 'drop']]])
    expect(shape(plugin([{ system: '*', operation: '*' }], []))).toEqual([
      ['cmdb', true, ['find', 'drop']],
      ['mail', true, ['send']],
    ])
  })

  it('holds a grant that nothing asks for any more, until the next change', () => {
    const p = plugin([{ system: 'cmdb', operation: 'find' }], [{ system: 'mail', operation: 'send' }])
    expect(shape(p)).toEqual([
      ['cmdb', false, ['find']],
      ['mail', false, ['send granted stale']],
    ])
    expect(grantsAfter(p, [{ system: 'cmdb', operation: 'find' }], true)).toEqual([
      { system: 'cmdb', operation: 'find' },
    ])
    expect(grantsAfter(p, [{ system: 'mail', operation: 'send' }], false)).toEqual([])
  })
})
