import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { whyZh, wordsZh } from './reasons.zh'

// The refusals stand in the server's sources: they are the list that must be translated.
const root = new URL('../../../', import.meta.url)
const files = (dir: string) =>
  readdirSync(new URL(dir, root), { recursive: true, encoding: 'utf8' })
    .filter((f) => f.endsWith('.go') && !f.endsWith('_test.go'))
    .map((f) => `${dir}/${f}`)

/** What no person meets in the browser: the command line, test programs, and what outside systems call back with. */
const elsewhere = ['host/cmd/', 'host/client/', 'host/hosttest/', 'host/callbacks/']
const sources = [...files('engine'), ...files('host')]
  .filter((f) => !elsewhere.some((dir) => f.startsWith(dir)))
  .map((f) => ({ file: f, text: readFileSync(new URL(f, root), 'utf8') }))

interface Call {
  file: string
  /** The arguments, as written. */
  args: string
  /** What is written behind the call. */
  behind: string
}

/** The calls of functions, with what stands in their brackets. */
function calls(name: RegExp): Call[] {
  const found: Call[] = []
  for (const { file, text } of sources)
    for (const m of text.matchAll(name)) {
      const from = m.index + m[0].length
      const to = closing(text, from)
      found.push({ file, args: text.slice(from, to), behind: text.slice(to + 1, to + 80).replace(/^\.\s+/, '.') })
    }
  return found
}

/** Where the bracket is closed that was opened before a place; brackets in texts do not count. */
function closing(text: string, from: number): number {
  let deep = 1
  for (const m of text.slice(from).matchAll(/"(?:[^"\\\n]|\\.)*"|`[^`]*`|[()]/g)) {
    if (m[0] === '(') deep++
    if (m[0] === ')' && --deep === 0) return from + m.index
  }
  throw new Error('a bracket is not closed')
}

/** The words of somebody else, faults of Culm itself, and requests that only a program can get wrong. */
const untranslated = (args: string) =>
  /"%[sv]"|format, args\.\.\.|^fault\.Internal,|^code[A-Z]\w+,/.test(args) || programs.some((p) => args.includes(p))
const programs = [
  // A callback.
  'a form has at most',
  'the query string cannot be read',
  'no such query parameter',
  'header is a DSSE envelope',
  'must be a whole number',
  'Idempotency-Key',
  'If-Match',
  // Their problems say more, each with a code.
  'the system document is not valid',
  'the document cannot be read',
  'the document %s',
]

const placeholders = (text: string) => [...text.matchAll(/\{\{w?([a-z])\}\}/g)].map((m) => m[1] ?? '')

describe('why the server refuses', () => {
  const refusals = [...calls(/fault\.(?:New|At)\(/g), ...calls(/\bpolicy\((?=")/g)]
  const core = calls(/\bt\.refuse(?:Value|Input)?\(/g)

  it('has a reason for everything that a person can be told', () => {
    expect(refusals.length).toBeGreaterThan(150)
    const without = refusals.filter((c) => !c.behind.startsWith('.Because(') && !untranslated(c.args))
    expect(without.map((c) => `${c.file}: ${c.args}`)).toEqual([])
  })

  it('has a reason for every command that the engine refuses', () => {
    expect(core.length).toBeGreaterThan(40)
    // An expression and a schema say in their own words what is wrong; a program makes events.
    const own = /format, args|"%s"|%v"|: %s"|"the answer %s"|unknown event/
    const without = core.filter((c) => !c.behind.startsWith('.because(') && !own.test(c.args))
    expect(without.map((c) => `${c.file}: ${c.args}`)).toEqual([])
  })

  it('is translated, and nothing else is', () => {
    const reasons = sources.flatMap(({ text }) => [
      ...[...text.matchAll(/\b[Bb]ecause\("([A-Z_]+)"/g)].map((m) => m[1] ?? ''),
      // What CEL says in sentences has its reasons in a table.
      ...[...text.matchAll(/\), "(EXPR_[A-Z_]+)", "|\b(?:e\.Reason = |bad\()"([A-Z_]+)"/g)].map(
        (m) => m[1] ?? m[2] ?? '',
      ),
      ...[...text.matchAll(/\bError\{[^\n]*Reason: "([A-Z_]+)"/g)].map((m) => m[1] ?? ''),
    ])
    expect(reasons.length).toBeGreaterThan(150)
    expect(reasons.filter((r) => !(r in whyZh))).toEqual([])
    // The rules of schemas and the limits of values come under their own names.
    const other = (r: string) => /^SCHEMA_(?!MISSING)|^(VALUE|RUN)_TOO_LARGE$/.test(r)
    expect(Object.keys(whyZh).filter((r) => !reasons.includes(r) && !other(r))).toEqual([])
  })

  it('names nothing that the server does not send', () => {
    for (const c of [...refusals, ...core]) {
      const reason = /^\.[Bb]ecause\("([A-Z_]+)"\)/.exec(c.behind)?.[1] ?? ''
      const sent = (c.args.match(/%(?!%)/g) ?? []).length
      for (const p of placeholders(whyZh[reason as keyof typeof whyZh] ?? ''))
        expect(p.charCodeAt(0) - 97, `${reason} for ${c.args}`).toBeLessThan(sent)
    }
  })

  it('says every rule of a schema', () => {
    const form = sources.filter(({ file }) => /^host\/forms\/(form|message)\.go$/.test(file)).map(({ text }) => text)
    const kinds = form.flatMap((text) => [...text.matchAll(/\*kind\.(\w+)/g)].map((m) => m[1] ?? ''))
    expect(new Set(kinds).size).toBeGreaterThan(20)
    const reasons = kinds.map((k) =>
      k === 'FalseSchema' ? 'SCHEMA_SCHEMA' : `SCHEMA${k.replace(/[A-Z]/g, (c) => `_${c}`).toUpperCase()}`,
    )
    expect(reasons.filter((r) => !(r in whyZh))).toEqual([])
  })

  it('names kinds of things in words', () => {
    const kinds = calls(/fault\.Missing\(/g).map((c) => /^"([^"]+)"/.exec(c.args)?.[1] ?? '')
    const stored = calls(/\bmissing\(/g).map((c) => /"([^"]+)", [^"]+$/.exec(c.args)?.[1] ?? '')
    const all = [...kinds, ...stored].filter((k) => k !== '')
    expect(all.length).toBeGreaterThan(30)
    expect(all.filter((k) => !(k in wordsZh))).toEqual([])
  })
})
