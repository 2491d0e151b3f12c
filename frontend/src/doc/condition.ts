/** How two things are compared in a plain condition. */
export type Comparison =
  | '=='
  | '!='
  | '>'
  | '>='
  | '<'
  | '<='
  | 'contains'
  | 'startsWith'
  | 'endsWith'
  | 'in'
  | 'isTrue'
  | 'isFalse'

/** One line of a plain condition. */
export interface Rule {
  name: string
  how: Comparison
  /** A number, true or false, a text, or a list of such: as it is compared with. */
  value: string
  /** Whether the value is the name of another variable or output. */
  named: boolean
}

/** A condition that can be read without knowing CEL: rules, all or any of which must hold. */
export interface PlainCondition {
  join: 'all' | 'any'
  rules: Rule[]
}

const path = String.raw`[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*`
const text = String.raw`"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'`
const literal = String.raw`${text}|-?\d+(?:\.\d+)?|true|false`
const compared = new RegExp(`^(${path})\\s*(==|!=|>=|<=|>|<)\\s*(${literal}|${path})$`)
const called = new RegExp(`^(${path})\\.(contains|startsWith|endsWith)\\(\\s*(${text}|${path})\\s*\\)$`)
const listed = new RegExp(
  `^(${path})\\s+in\\s+(${path}|\\[(?:\\s*(?:${literal})\\s*(?:,\\s*(?:${literal})\\s*)*)?\\])$`,
)
const bare = new RegExp(`^(!?)\\s*(${path})$`)
const isText = new RegExp(`^(?:${text})$`)
const isLiteral = new RegExp(`^(?:${literal})$`)

/** Reads CEL as a plain condition; null where it says more than one can. */
export function readCondition(cel: string): PlainCondition | null {
  const source = cel.trim()
  if (source === '') return { join: 'all', rules: [] }
  const and = split(source, '&&')
  const or = split(source, '||')
  if (and.length > 1 && or.length > 1) return null
  const rules = (or.length > 1 ? or : and).map((part) => readRule(part.trim()))
  return rules.every((r) => r !== null) ? { join: or.length > 1 ? 'any' : 'all', rules: rules as Rule[] } : null
}

function readRule(source: string): Rule | null {
  const m = compared.exec(source)
  if (m) return rule(m[1] as string, m[2] as Comparison, m[3] as string)
  const c = called.exec(source)
  if (c) return rule(c[1] as string, c[2] as Comparison, c[3] as string)
  const l = listed.exec(source)
  if (l) {
    const value = l[2] as string
    return {
      name: l[1] as string,
      how: 'in',
      value: value.startsWith('[') ? items(value) : value,
      named: !value.startsWith('['),
    }
  }
  const b = bare.exec(source)
  if (!b || b[2] === 'true' || b[2] === 'false') return null
  return { name: b[2] as string, how: b[1] ? 'isFalse' : 'isTrue', value: '', named: false }
}

function rule(name: string, how: Comparison, value: string): Rule {
  const named = !isLiteral.test(value)
  return { name, how, value: named ? value : shown(value), named }
}

/** A literal as a person writes it: texts without quotes, but for those that would read as something else. */
function shown(value: string): string {
  if (!isText.test(value)) return value
  const plain = unquote(value)
  return isLiteral.test(plain) || plain === '' || /^\s|\s$/.test(plain) || plain.includes(',') ? value : plain
}

function unquote(value: string): string {
  return value.slice(1, -1).replace(/\\(.)/g, (_, c: string) => ({ n: '\n', t: '\t' })[c] ?? c)
}

function quoted(value: string): string {
  if (isLiteral.test(value)) return value
  return JSON.stringify(value)
}

function items(list: string): string {
  return split(list.slice(1, -1), ',')
    .map((v) => v.trim())
    .filter(Boolean)
    .map(shown)
    .join(', ')
}

/** Writes a plain condition as CEL. Rules that are not complete yet are left out. */
export function writeCondition({ join, rules }: PlainCondition): string {
  return rules
    .filter((r) => r.name !== '' && (r.value !== '' || r.how === 'isTrue' || r.how === 'isFalse'))
    .map(writeRule)
    .join(join === 'all' ? ' && ' : ' || ')
}

function writeRule({ name, how, value, named }: Rule): string {
  const other = named ? value : quoted(value)
  switch (how) {
    case 'isTrue':
      return name
    case 'isFalse':
      return `!${name}`
    case 'contains':
    case 'startsWith':
    case 'endsWith':
      return `${name}.${how}(${named || isText.test(other) ? other : JSON.stringify(value)})`
    case 'in':
      return `${name} in ${
        named
          ? value
          : `[${split(value, ',')
              .map((v) => v.trim())
              .filter(Boolean)
              .map(quoted)
              .join(', ')}]`
      }`
    default:
      return `${name} ${how} ${other}`
  }
}

/** Splits at an operator that stands outside of texts, brackets and parentheses. */
function split(source: string, at: string): string[] {
  const parts: string[] = []
  let depth = 0
  let from = 0
  for (let i = 0; i < source.length; i++) {
    const c = source[i] as string
    if (c === '"' || c === "'") {
      i++
      while (i < source.length && source[i] !== c) i += source[i] === '\\' ? 2 : 1
    } else if ('([{'.includes(c)) depth++
    else if (')]}'.includes(c)) depth--
    else if (depth === 0 && source.startsWith(at, i)) {
      parts.push(source.slice(from, i))
      i += at.length - 1
      from = i + 1
    }
  }
  return [...parts, source.slice(from)]
}
