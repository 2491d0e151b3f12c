import type { Json, Schema } from '~/api/types'
import { exclusive } from './relax'
import { changed, isSchema } from './words'

/**
 * The patterns in a schema may be a stranger's. The server matches them in a time that is
 * linear in the text; a browser goes back and tries again, and `^(a+)+$` on thirty letters
 * keeps its page busy for years. So the browser matches only what is quick whatever the text,
 * and leaves the rest to the server, which tells at the field what is wrong.
 */

/** How many steps a match may take: a few milliseconds. */
const stepsMax = 2 ** 20

/** How long the texts are that a pattern may be matched with: one that is quick at the first length stays linear in the text. */
const lengths = [2 ** 14, 512, 64, 16]
const anyLength = lengths[0]

/** Patterns longer than this are not even read. */
const patternMax = 1000

/** Words that accept less when a schema in them accepts more. */
const turning = ['not', 'if', 'contains'] as const

/** A schema without what a browser could not check quickly. It accepts all that the schema accepts. */
export function quick(schema: Schema): Schema {
  return isUnsure(schema as Json, false) ? (weaker(schema as Json) as unknown as Schema) : schema
}

/** How long a text may be that is matched with a pattern; 0 for patterns that the browser leaves alone. */
export function reach(pattern: string): number {
  // What else begins like these, only one side knows, or it looks back at what was matched.
  if (pattern.length > patternMax || /\(\?[^:]|\\[1-9k]/.test(pattern)) return 0
  try {
    new RegExp(pattern, 'u')
  } catch {
    return 0
  }
  return lengths.find((n) => stepsOf(pattern, n) <= stepsMax) ?? 0
}

/** In how many ways a part of a pattern can match, and how many steps it takes to try them all. */
interface Part {
  ways: number
  steps: number
}

const one: Part = { ways: 1, steps: 1 }

const token = /\\.|\[(?:\\.|[^\]\\])*\]|\((?:\?:)?|\{\d+,?\d*\}|[\s\S]/gu
const quantifier = /^(?:[*+?]|\{(\d+)(,?)(\d*)\})$/

/** How many steps a match with a text of that length may take, or more than that. */
function stepsOf(pattern: string, length: number): number {
  const tokens = pattern.match(token) ?? []
  let at = 0
  let anchored = tokens[0] === '^'
  const group = (top: boolean): Part => {
    let [before, part] = [{ ways: 0, steps: 0 }, one]
    while (at < tokens.length && tokens[at] !== ')') {
      const next = tokens[at++] as string
      if (next === '|') {
        anchored &&= !top
        before = { ways: before.ways + part.ways, steps: before.steps + part.steps }
        part = one
        continue
      }
      let atom = one
      if (next[0] === '(') {
        atom = group(false)
        at++
      }
      for (let q = quantifier.exec(tokens[at] ?? ''); q; q = quantifier.exec(tokens[++at] ?? ''))
        atom = repeated(atom, q, length)
      part = { ways: part.ways * atom.ways, steps: part.steps + part.ways * atom.steps }
    }
    return { ways: before.ways + part.ways, steps: before.steps + part.steps }
  }
  const { steps } = group(true)
  return anchored ? steps : steps * length
}

function repeated({ ways, steps }: Part, [sign, least, more, most]: RegExpExecArray, length: number): Part {
  const min = least ? Number(least) : sign === '+' ? 1 : 0
  const named = most ? Number(most) : sign === '?' ? 1 : more === '' ? min : length
  const max = Math.max(min, Math.min(named, length))
  const all = ways ** max
  return { ways: (max - min + 1) * all, steps: steps * max * all + 1 }
}

/** Whether the browser cannot tell of every text what a schema says; if refs, nor what it refers to says. */
function isUnsure(value: Json | undefined, refs: boolean): boolean {
  if (Array.isArray(value)) return value.some((v) => isUnsure(v, refs))
  if (!isSchema(value)) return false
  if (refs && typeof value.$ref === 'string') return true
  if (typeof value.pattern === 'string' && reach(value.pattern) !== anyLength) return true
  return hasUnsureNames(value) || Object.values(value).some((v) => isUnsure(v, refs))
}

function hasUnsureNames({ patternProperties }: Schema): boolean {
  return isSchema(patternProperties) && Object.keys(patternProperties).some((p) => reach(p) !== anyLength)
}

function weaker(value: Json): Json {
  if (Array.isArray(value)) return value.map(weaker)
  if (!isSchema(value)) return value
  const out: Schema = changed(value, weaker)
  for (const word of turning) if (isUnsure(value[word], true)) delete out[word]
  if (isUnsure(value.oneOf, true)) exclusive(out)
  if (hasUnsureNames(value)) {
    delete out.patternProperties
    delete out.additionalProperties
  }
  if (typeof out.pattern === 'string') {
    const most = reach(out.pattern)
    // A longer text matches at once.
    if (most === 0) delete out.pattern
    else if (most !== anyLength) out.pattern = `^[\\s\\S]{${most + 1}}|(?:${out.pattern})`
  }
  return out as Json
}
