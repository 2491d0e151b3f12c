import type { Completion, CompletionContext, CompletionResult, CompletionSource } from '@codemirror/autocomplete'
import type { EditorView } from '@codemirror/view'
import i18next from 'i18next'
import type { FunctionsMessages } from '~/i18n/functions.zh'
import { expressionsIn } from './expression'
import { fits, type KnownType, takes, typeBefore, wantedAt } from './expression-types'

export type FunctionName = keyof FunctionsMessages

/** A function of the language: what a person sees of it, and what is written for it. */
interface CelFunction {
  name: FunctionName
  /** How it is called, with the kind of what comes back; names of arguments are words of the language. */
  signature: string
  /** What is written; `|` is where the cursor then stands. */
  insert: string
}

const fn = (name: FunctionName, signature: string, insert = `${name}(|)`): CelFunction => ({ name, signature, insert })
const macro = (name: FunctionName, result: string) => fn(name, `list.${name}(x, …) → ${result}`, `${name}(x, |)`)
const ofTime = (name: FunctionName) => fn(name, `timestamp.${name}() → int`, `${name}()|`)
const ofTimeOrSpan = (name: FunctionName) => fn(name, `timestamp|duration.${name}() → int`, `${name}()|`)
const ofText = (name: FunctionName) => fn(name, `string.${name}() → string`, `${name}()|`)

/** What is called by its name alone. */
const plain: readonly CelFunction[] = [
  fn('bool', 'bool(value) → bool'),
  fn('bytes', 'bytes(string) → bytes'),
  fn('double', 'double(value) → double'),
  fn('duration', 'duration(string) → duration'),
  fn('dyn', 'dyn(value) → dyn'),
  fn('fail', 'fail(string)'),
  fn('has', 'has(object.field) → bool'),
  fn('in', 'value in list|map → bool', 'in |'),
  fn('int', 'int(value) → int'),
  fn('size', 'size(value) → int'),
  fn('string', 'string(value) → string'),
  fn('timestamp', 'timestamp(string) → timestamp'),
  fn('type', 'type(value) → type'),
  fn('uint', 'uint(value) → uint'),
]

/** What is called on a value, behind a dot. */
const members: readonly CelFunction[] = [
  macro('all', 'bool'),
  fn('contains', 'string.contains(string) → bool'),
  fn('endsWith', 'string.endsWith(string) → bool'),
  macro('exists', 'bool'),
  macro('exists_one', 'bool'),
  macro('filter', 'list'),
  ofTime('getDate'),
  ofTime('getDayOfMonth'),
  ofTime('getDayOfWeek'),
  ofTime('getDayOfYear'),
  ofTime('getFullYear'),
  ofTimeOrSpan('getHours'),
  ofTimeOrSpan('getMilliseconds'),
  ofTimeOrSpan('getMinutes'),
  ofTime('getMonth'),
  ofTimeOrSpan('getSeconds'),
  fn('indexOf', 'string.indexOf(string) → int'),
  fn('join', 'list.join(separator) → string'),
  ofText('lower'),
  macro('map', 'list'),
  fn('matches', 'string.matches(pattern) → bool'),
  fn('replace', 'string.replace(from, to) → string'),
  fn('size', 'value.size() → int', 'size()|'),
  fn('split', 'string.split(separator) → list'),
  fn('startsWith', 'string.startsWith(string) → bool'),
  fn('substring', 'string.substring(from, to) → string'),
  ofText('trim'),
  ofText('upper'),
]

/** Every function that is offered. Its list is held against the engine's. */
export const functionNames: readonly FunctionName[] = [...new Set([...plain, ...members].map((f) => f.name))].sort()

/** The names that an expression may use, and what is wanted of it as a whole. */
interface Known {
  scope: readonly { name: string; type?: string }[]
  wants?: string | undefined
}

/**
 * Completes the functions of the language where CEL stands: those of a value behind a dot, the others elsewhere. Those
 * that give what is wanted go first; behind a value of a known type only its own are offered.
 * Names of the run, which have dots too, go before all of them.
 */
export function functionSource(known: () => Known, bare: boolean): CompletionSource {
  return (context) => {
    const at = celBefore(context, bare)
    if (at === null || inString(at)) return null
    const { scope, wants } = known()
    const path = /[A-Za-z_][\w.]*$/.exec(at)?.[0] ?? ''
    const member = /(?:[A-Za-z_]\w*|[)\]"'}])\.(\w*)$/.exec(at)
    const wanted = wantedBefore(context, bare, wants)
    if (member) {
      const owner = path.slice(0, path.lastIndexOf('.') + 1)
      if (owner !== '' && scope.some(({ name }) => name.startsWith(owner))) return null
      const type = typeBefore(at, scope, resultOf)
      const own = members.filter((f) => takes(f.signature.slice(0, f.signature.indexOf('.')), type))
      return found(own, wanted, context.pos - (member[1]?.length ?? 0))
    }
    const start = at.length - path.length
    // A number and its decimals are no beginning of a name.
    if (path.includes('.') || (path === '' && !context.explicit) || /[\d.]$/.test(at.slice(0, start))) return null
    return found(plain, wanted, context.pos - path.length)
  }
}

/** What is wanted of what is being written; of an expression inside a text, nothing. */
export function wantedBefore(context: CompletionContext, bare: boolean, wants: KnownType): KnownType {
  const at = celBefore(context, bare)
  const text = context.state.doc.toString()
  const [first] = expressionsIn(text)
  if (at === null || (!bare && (first?.from !== 0 || first.to !== text.length))) return undefined
  return wantedAt(at.replace(/[A-Za-z_][\w.]*$/, ''), wants)
}

/** The type of what a function gives, as its signature says. */
function resultOf(name: string): KnownType {
  return [...plain, ...members].find((f) => f.name === name)?.signature.split('→ ')[1]
}

/** The CEL in front of the cursor, or null where the text is none. */
function celBefore(context: CompletionContext, bare: boolean): string | null {
  const text = context.state.doc.toString()
  if (bare) return text.slice(0, context.pos)
  const span = expressionsIn(text).find(
    ({ from, to }) => context.pos >= from + 2 && (context.pos < to || !text.slice(from, to).endsWith('}')),
  )
  return span ? text.slice(span.from + 2, context.pos) : null
}

function inString(cel: string): boolean {
  return /["']/.test(cel.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, ''))
}

function found(functions: readonly CelFunction[], wanted: KnownType, from: number): CompletionResult {
  return { from, options: functions.map((f) => completion(f, wanted)), validFor: /^\w*$/ }
}

/** What the flow has itself is what is mostly meant; among functions, those that give what is wanted. */
const boosts = { fits: -10, unknown: -20, other: -30 }

function completion({ name, signature, insert }: CelFunction, wanted: KnownType): Completion {
  const fit = fits(signature.split('→ ')[1], wanted)
  return {
    label: name,
    type: 'function',
    boost: fit === null ? boosts.unknown : fit ? boosts.fits : boosts.other,
    info: () => help(name, signature),
    apply: (view: EditorView, _completion, from, to) => {
      const called = view.state.sliceDoc(to, to + 1) === '(' && insert.includes('(')
      const text = called ? name : insert.replace('|', '')
      const cursor = from + (called ? name.length : insert.indexOf('|'))
      view.dispatch({ changes: { from, to, insert: text }, selection: { anchor: cursor }, userEvent: 'input.complete' })
    },
  }
}

function help(name: FunctionName, signature: string): Node {
  const box = document.createElement('div')
  const code = document.createElement('code')
  code.textContent = signature
  const line = document.createElement('div')
  line.textContent = i18next.t(name, { ns: 'functions' })
  box.append(code, line)
  return box
}
