import { readFileSync } from 'node:fs'
import { CompletionContext, type CompletionResult } from '@codemirror/autocomplete'
import { EditorState } from '@codemirror/state'
import { describe, expect, it } from 'vitest'
import { functionsZh } from '~/i18n/functions.zh'
import { functionNames, functionSource } from './expression-functions'

/** What is offered at the end of a text, or at `|` in it. */
function offered(text: string, { bare = false, explicit = false } = {}): string[] {
  const at = text.includes('|') ? text.indexOf('|') : text.length
  const state = EditorState.create({ doc: text.replace('|', '') })
  const names = [{ name: 'nodes.query.outputs.rows' }, { name: 'hosts' }]
  const source = functionSource(() => names, bare)
  const result = source(new CompletionContext(state, at, explicit)) as CompletionResult | null
  return result?.options.map((o) => o.label).filter((l) => l.startsWith(state.sliceDoc(result.from, at))) ?? []
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
})
