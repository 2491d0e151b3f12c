import {
  Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type Scalar,
  type ScalarTag,
  type Tags,
  visit,
} from 'yaml'
import type { Json } from '~/api/types'

/** A place in a text: offsets from 0, line and column from 1. */
export interface Place {
  from: number
  to: number
  line: number
  column: number
}

/** One thing that is wrong with a text: a code with its arguments, and where. */
export interface Flaw extends Place {
  code: string
  args: { [name: string]: string }
}

/** A text that was read: its value where it has one, and where each part of that stands. */
export interface Read {
  value: Json | undefined
  flaws: Flaw[]
  /** The place of the value that a JSON pointer names, or of the nearest one around it. */
  placeOf(pointer: string): Place
}

const strTag = 'tag:yaml.org,2002:str'

/** Texts that some reader of YAML takes for a number, a date or a truth. */
const mistakable = /^(?:[-+.]?\d[\da-fA-F_xXoO.:eE+-]*|[-+]?\.(?:inf|nan)|yes|no|on|off|true|false|null|~|=|<<)$/i

/** Characters that YAML does not let stand as they are. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const unprintable = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]|\p{Cs}/u

/** Spaces at the ends, that a block of text would need a sign of its own for. */
const unblockable = /^\s|[ \t]$|\n\n$/

const quoted = (text: string): string =>
  JSON.stringify(text).replace(
    new RegExp(unprintable, 'gu'),
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

function stringTags(tags: Tags): Tags {
  return tags.map((tag) => {
    if (typeof tag === 'string' || tag.tag !== strTag) return tag
    const plain = tag as ScalarTag
    return {
      ...plain,
      stringify(item: Scalar, ctx: Parameters<NonNullable<ScalarTag['stringify']>>[1], onComment, onChompKeep) {
        const text = String(item.value)
        const careful = mistakable.test(text) || unprintable.test(text) || unblockable.test(text)
        return careful ? quoted(text) : (plain.stringify?.(item, ctx, onComment, onChompKeep) ?? quoted(text))
      },
    } as ScalarTag
  })
}

/** Writes a value as people write YAML; readText reads exactly the same value back, and so does the program's CLI. */
export function toYaml(value: unknown): string {
  // What JSON does not carry (properties that are undefined) is not written either.
  const plain = JSON.parse(JSON.stringify(value)) as Json
  const document = new Document(plain, { version: '1.2', aliasDuplicateObjects: false, customTags: stringTags })
  visit(document, {
    Pair: (_, pair) => {
      const name = isScalar(pair.key) ? pair.key.value : undefined
      // A place is read in one look, as the CLI writes it.
      if (name === 'position' && isMap(pair.value)) pair.value.flow = true
    },
  })
  return document.toString({ lineWidth: 0, flowCollectionPadding: false })
}

/** Reads one document of YAML or JSON as strictly as the server does: no anchors, no tags, no key twice. */
export function readText(text: string): Read {
  const lines = new LineCounter()
  const place = (from: number, to: number): Place => {
    const { line, col } = lines.linePos(from)
    return { from, to, line: Math.max(1, line), column: Math.max(1, col) }
  }
  const document = parseDocument(text, { version: '1.2', lineCounter: lines, prettyErrors: false, stringKeys: true })
  const flaws: Flaw[] = [...document.errors, ...document.warnings].map((e) => ({
    ...place(e.pos[0], e.pos[1]),
    code: e.code,
    args: {},
  }))
  if (flaws.length === 0) flaws.push(...foreign(document.contents, text, place))
  if (flaws.length === 0 && document.contents === null) flaws.push({ ...place(0, 0), code: 'EMPTY', args: {} })
  return {
    value: flaws.length > 0 ? undefined : (document.toJS() as Json),
    flaws,
    placeOf: (pointer) => {
      const [from, to] = rangeOf(document.contents, pointer)
      return place(from, to)
    },
  }
}

/** What is YAML and no JSON: aliases, anchors, tags, numbers that would not be the same afterwards. */
function foreign(root: Node | null, text: string, place: (from: number, to: number) => Place): Flaw[] {
  const flaws: Flaw[] = []
  const add = (node: Node, code: string) => {
    const [from, to] = node.range ?? [0, 0]
    flaws.push({ ...place(from, to), code, args: { text: text.slice(from, Math.min(to, from + 40)) } })
  }
  visit(root, (_key, node) => {
    if (isPair(node) || node === null) return
    const code = foreignTo(node as Node)
    if (code) add(node as Node, code)
  })
  return flaws
}

function foreignTo(node: Node): string | undefined {
  if (isAlias(node) || ('anchor' in node && node.anchor)) return 'ALIAS'
  if (node.tag) return 'TAG'
  return isScalar(node) && isInexact(node) ? 'NUMBER' : undefined
}

/** Whether a number is none that JSON holds, or one whose last digits would be lost. */
function isInexact(node: Scalar): boolean {
  if (typeof node.value !== 'number') return false
  if (!Number.isFinite(node.value)) return true
  if (!Number.isInteger(node.value) || !node.source || !/^[-+]?\d+$/.test(node.source)) return false
  // A number that this page writes is the shortest that means it.
  const written = node.source.replace(/^\+/, '')
  return written !== String(node.value) && BigInt(written) !== BigInt(node.value)
}

type Span = [number, number]

function rangeOf(root: Node | null, pointer: string): Span {
  let at: { node: Node | null; span: Span } = { node: root, span: spanOf(root) ?? [0, 0] }
  for (const step of pointer.split('/').slice(1)) {
    const next = below(at.node, step.replaceAll('~1', '/').replaceAll('~0', '~'))
    if (!next) break
    at = next
  }
  return at.span
}

/** What a map or a list holds under a name. A value is where its key is; of a long one that is enough. */
function below(node: Node | null, name: string): { node: Node | null; span: Span } | null {
  if (isMap(node)) {
    const pair: Pair | undefined = node.items.find((p) => isScalar(p.key) && String(p.key.value) === name)
    const key = pair && spanOf(pair.key as Node)
    if (!key) return null
    const value = pair.value as Node | null
    return { node: value, span: [key[0], (isScalar(value) && spanOf(value)?.[1]) || key[1]] }
  }
  const item = isSeq(node) ? (node.items[Number(name)] as Node | undefined) : undefined
  const span = item && spanOf(item)
  return span ? { node: item, span: isScalar(item) ? span : [span[0], span[0] + 1] } : null
}

function spanOf(node: Node | null): Span | undefined {
  return node?.range ? [node.range[0], node.range[1]] : undefined
}
