import type { Json } from '~/api/types'

const whole = /^\$\{[\s\S]*\}$/
const anywhere = /(^|[^$])\$\{/

/** Whether a value is one expression and nothing else. */
export function isExpression(value: unknown): value is string {
  return typeof value === 'string' && whole.test(value)
}

/** Whether a value is a text with an expression in it. */
export function holdsExpression(value: unknown): value is string {
  return typeof value === 'string' && anywhere.test(value)
}

/** A piece of a text: an expression with its `${` and `}`, or what is between. */
export interface Span {
  from: number
  to: number
}

/** The expressions of a text, as places in it. Strings and braces inside are minded. */
export function expressionsIn(text: string): Span[] {
  const spans: Span[] = []
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== '$') continue
    if (text.startsWith('$${', i)) {
      i += 2
    } else if (text[i + 1] === '{') {
      const to = closing(text, i + 2)
      spans.push({ from: i, to })
      i = to - 1
    }
  }
  return spans
}

function closing(text: string, from: number): number {
  let depth = 1
  for (let i = from; i < text.length; i++) {
    const c = text[i] as string
    if (c === '"' || c === "'") i = endOfString(text, i)
    else if (c === '{') depth++
    else if (c === '}' && --depth === 0) return i + 1
  }
  return text.length
}

function endOfString(text: string, from: number): number {
  const quote = text[from]
  for (let i = from + 1; i < text.length; i++) {
    if (text[i] === '\\') i++
    else if (text[i] === quote) return i
  }
  return text.length
}

const celWords = new Set(['true', 'false', 'null', 'in', 'nodes', 'env', 'run', 'secrets'])
const macros = /\.(?:all|exists|exists_one|map|filter)\s*\(\s*([A-Za-z_]\w*)\s*,/g

/** The variables that a CEL expression names; macros' own names are left out. */
export function namesIn(cel: string): string[] {
  const plain = cel.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, '""')
  const bound = new Set([...plain.matchAll(macros)].map((m) => m[1]))
  const names = new Set<string>()
  for (const m of plain.matchAll(/(?<![.\w$])([A-Za-z_]\w*)(?!\w*\s*\()/g)) {
    const name = m[1] as string
    if (!celWords.has(name) && !bound.has(name) && !/^\s*:/.test(plain.slice((m.index ?? 0) + name.length)))
      names.add(name)
  }
  return [...names]
}

/** The nodes whose outputs a CEL expression reads. */
export function nodesIn(cel: string): string[] {
  return [...new Set([...cel.matchAll(/\bnodes\.([A-Za-z]\w*)/g)].map((m) => m[1] as string))]
}

/** Every expression in a value, without `${` and `}`. */
export function expressionsOf(value: Json | undefined): string[] {
  if (typeof value === 'string') return expressionsIn(value).map(({ from, to }) => value.slice(from + 2, to - 1))
  if (Array.isArray(value)) return value.flatMap(expressionsOf)
  if (value !== null && typeof value === 'object') return Object.values(value).flatMap(expressionsOf)
  return []
}
