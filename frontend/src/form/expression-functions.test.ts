import { readFileSync } from 'node:fs'
import { CompletionContext, type CompletionResult } from '@codemirror/autocomplete'
import { EditorState } from '@codemirror/state'
import { describe, expect, it } from 'vitest'
import { functionsZh } from '~/i18n/functions.zh'
import { functionNames, functionSource } from './expression-functions'

/** What is offered at the end of a text, or at `|` in it. */
function offered(text: string, { bare = false, explicit = false, wants = '' } = {}): string[] {
  const at = text.includes('|') ? text.indexOf('|') : text.length
  const state = EditorState.create({ doc: text.replace('|', '') })
  const scope = [
    { name: 'nodes.query.outputs.rows' },
    { name: 'hosts' },
    { name: 'title', type: 'string' },
    { name: 'ids', type: 'string[]' },
    { name: 'count', type: 'integer' },
    { name: 'run.started_at', type: 'timestamp' },
  ]
  const source = functionSource(() => ({ scope, wants: wants || undefined }), bare)
  const result = source(new CompletionContext(state, at, explicit)) as CompletionResult | null
  const first = [...(result?.options ?? [])].sort((a, b) => (b.boost ?? 0) - (a.boost ?? 0))
  return first.map((o) => o.label).filter((l) => l.startsWith(state.sliceDoc(result?.from ?? 0, at)))
}

describe('the functions of the expression editor', () => {
  it('are those of the engine, each with a line of help', () => {
    const file = new URL('../../../engine/expr/testdata/functions.json', import.meta.url)
    const engine = JSON.parse(readFileSync(file, 'utf8')) as string[]
    expect(functionNames).toEqual([...engine].sort())
    expect(Object.keys(functionsZh).sort()).toEqual([...engine].sort())
  })

  it('are offered where CEL stands and not in the text around it', () => {
    expect(offered('${si|}')).toEqual(['size'])
    expect(offered('${1 + si')).toEqual(['size'])
    expect(offered('si')).toEqual([])
    expect(offered('${x} si')).toEqual([])
    expect(offered('si', { bare: true })).toEqual(['size'])
  })

  it('of a value are offered behind its dot only', () => {
    expect(offered('${hosts.fil|}')).toEqual(['filter'])
    expect(offered('${fil|}')).toEqual([])
    expect(offered('"a b".spl', { bare: true })).toEqual(['split'])
    expect(offered('hosts.map(x, x.name).jo', { bare: true })).toEqual(['join'])
  })

  it('keep out of strings, numbers and the names of the run', () => {
    expect(offered('"hosts.fil', { bare: true })).toEqual([])
    expect(offered('"it\'s " + "a\\".si', { bare: true })).toEqual([])
    expect(offered('1.si', { bare: true })).toEqual([])
    expect(offered('1si', { bare: true })).toEqual([])
    expect(offered('nodes.si', { bare: true })).toEqual([])
    expect(offered('nodes.query.outputs.rows.si', { bare: true })).toEqual(['size'])
  })

  it('are all offered when asked for', () => {
    expect(offered('${|}')).toEqual([])
    expect(offered('${|}', { explicit: true })).toContain('timestamp')
  })

  it('behind a value of a known type are those of that type', () => {
    expect(offered('${title.|}')).toContain('lower')
    expect(offered('${title.|}')).not.toContain('filter')
    expect(offered('${ids.|}')).toEqual(expect.arrayContaining(['filter', 'join', 'size']))
    expect(offered('${ids.|}')).not.toContain('lower')
    expect(offered('${count.|}')).toEqual([])
    expect(offered('run.started_at.', { bare: true })).toContain('getHours')
    expect(offered('run.started_at.', { bare: true })).not.toContain('trim')
    expect(offered('"a".', { bare: true })).not.toContain('join')
    expect(offered('ids.join(", ").', { bare: true })).toContain('split')
    expect(offered('ids.join(", ").', { bare: true })).not.toContain('filter')
    expect(offered('${hosts.|}')).toEqual(expect.arrayContaining(['filter', 'lower', 'getHours']))
  })

  it('that give what the field needs go first', () => {
    const firsts = (text: string, wants: string, n: number) =>
      offered(text, { explicit: true, wants, bare: !text.includes('$') }).slice(0, n)
    expect(firsts('${|}', 'integer', 3).sort()).toEqual(['int', 'size', 'uint'])
    expect(firsts('', 'boolean', 3).sort()).toEqual(['bool', 'has', 'in'])
    expect(firsts('ids.', 'boolean', 3).sort()).toEqual(['all', 'exists', 'exists_one'])
    // Of a part of an expression another type may be wanted, or nobody knows which.
    expect(firsts('count > 0 && ', 'boolean', 3).sort()).toEqual(['bool', 'has', 'in'])
    expect(firsts('count > 0 ? ', 'string', 1)).toEqual(['string'])
    expect(offered('count + ', { bare: true, explicit: true, wants: 'string' })[0]).toBe('bool')
    expect(offered('a ${|}', { explicit: true, wants: 'integer' })[0]).toBe('bool')
  })
})
