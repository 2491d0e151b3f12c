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
  type StringifyContext,
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
const mistakable =
  /^(?:[-+.]?\d[\da-fA-F_xXoO.:eE+-]*|[-+]?\.(?:inf|nan)|yes|no|on|off|true|false|null|~|=|<<)$/i

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
      stringify(item: Scalar, ctx: StringifyContext, onComment, onChompKeep) {
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
    const item = node as Node
    if (isAlias(item)) add(item, 'ALIAS')
    else if ('anchor' in item && item.anchor) add(item, 'ALIAS')
    else if (item.tag?.startsWith('!') || (item.tag && /^tag:yaml/.test(item.tag) && isTagged(item, text)))
      add(item, 'TAG')
    else if (isScalar(item) && isInexact(item)) add(item, 'NUMBER')
  })
  return flaws
}

/** Whether a tag was written, and not only found out. */
function isTagged(node: Node, text: string): boolean {
  const at = node.range?.[0] ?? 0
  return /!!?[\w,:/.-]*[ \t\r\n]*$/.test(text.slice(Math.max(0, at - 60), at))
}

/** Whether a number is none that JSON holds, or one whose last digits would be lost. */
function isInexact(node: Scalar): boolean {
  if (typeof node.value !== 'number') return false
  if (!Number.isFinite(node.value)) return true
  if (!Number.isInteger(node.value) || !node.source || !/^[-+]?\d+$/.test(node.source)) return false
  return BigInt(node.source.replace('+', '')) !== BigInt(node.value)
}

function rangeOf(root: Node | null, pointer: string): [number, number] {
  let node: Node | null = root
  let range: [number, number] = [root?.range?.[0] ?? 0, root?.range?.[1] ?? 0]
  for (const step of pointer.split('/').slice(1)) {
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~')
    if (isMap(node)) {
      const pair: Pair | undefined = node.items.find((p) => isScalar(p.key) && String(p.key.value) === name)
      if (!pair) return range
      const key = (pair.key as Scalar).range
      node = (pair.value as Node | null) ?? null
      range = [key?.[0] ?? range[0], isCollection(node) ? (key?.[1] ?? range[1]) : (node?.range?.[1] ?? range[1])]
    } else if (isSeq(node)) {
      node = (node.items[Number(name)] as Node | undefined) ?? null
      if (!node) return range
      range = [node.range?.[0] ?? range[0], isCollection(node) ? (node.range?.[0] ?? 0) + 1 : (node.range?.[1] ?? 0)]
    } else return range
  }
  return range
}

function isCollection(node: Node | null): boolean {
  return isMap(node) || isSeq(node)
}
