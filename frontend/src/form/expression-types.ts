/**
 * What is known of types while an expression is written: enough to offer first what fits. Types are those that
 * `typeName` gives of a schema; undefined is one that nobody knows.
 */
export type KnownType = string | undefined

/** The types of the language by what JSON calls them. A time and a span of time have no JSON type. */
const jsonTypes: { [cel: string]: readonly string[] } = {
  bool: ['boolean'],
  double: ['number'],
  int: ['integer', 'number'],
  list: ['array'],
  string: ['string'],
  uint: ['integer', 'number'],
}

/** Whether a value of one type can stand where another is wanted; null where one of them is not known. */
export function fits(type: KnownType, wanted: KnownType): boolean | null {
  if (type === undefined || wanted === undefined) return null
  const [given, needed] = [alternatives(type), alternatives(wanted)]
  if ([...given, ...needed].some((t) => t === 'any' || t === 'dyn')) return null
  return given.some((t) => needed.includes(t) || (jsonTypes[t] ?? []).some((j) => needed.includes(j)))
}

function alternatives(type: string): string[] {
  return type.split('|').flatMap((part) => {
    const plain = part.trim()
    if (plain.endsWith('[]')) return ['array']
    return plain === 'integer' ? ['int', 'integer'] : [plain]
  })
}

/** Whether a function can be called on a value of a type; what nobody knows may be anything. */
export function takes(receiver: string, type: KnownType): boolean {
  if (type === undefined) return true
  const given = alternatives(type)
  if (given.some((t) => t === 'any' || t === 'dyn')) return true
  // Macros go over the keys of a map as they go over a list.
  const accepted = receiver === 'value' ? ['string', 'bytes', 'array', 'list', 'object', 'map'] : receiver.split('|')
  const more = accepted.includes('list') ? ['array', 'object', 'map'] : []
  return given.some((t) => accepted.includes(t) || more.includes(t))
}

const strings = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g
const group = /\([^()[\]{}]*\)|\[[^()[\]{}]*\]|\{[^()[\]{}]*\}/g

/**
 * The type that is wanted of what is written next, where that of the whole is known: it is the same at the beginning
 * and behind `?` and `:`, and a truth behind `&&`, `||` and `!`. Elsewhere nobody knows.
 */
export function wantedAt(cel: string, wanted: KnownType): KnownType {
  let flat = cel.replace(strings, '_')
  for (let shorter = flat.replace(group, '_'); shorter !== flat; shorter = flat.replace(group, '_')) flat = shorter
  if (/[([{]/.test(flat)) return undefined
  const cut = Math.max(...['&&', '||', '?', ':', '!'].map((sign) => flat.lastIndexOf(sign)))
  const truth = cut >= 0 && /[&|!]/.test(flat[cut] ?? '')
  const rest = flat.slice(cut + (/[&|]/.test(flat[cut] ?? '') ? 2 : 1))
  if (/[-+*/%<>=]|\bin\b/.test(rest)) return undefined
  return truth ? 'boolean' : wanted
}

/** The type of the value in front of a dot, where it can be read off; `resultOf` knows those of functions. */
export function typeBefore(
  cel: string,
  names: readonly { name: string; type?: string }[],
  resultOf: (fn: string) => KnownType,
): KnownType {
  const owner = cel.replace(/\.\w*$/, '')
  if (/["']$/.test(owner)) return 'string'
  if (owner.endsWith(')')) {
    const called = /(\w+)_$/.exec(outer(owner))
    return called?.[1] ? resultOf(called[1]) : undefined
  }
  const path = /[A-Za-z_][\w.]*$/.exec(owner)?.[0]
  return names.find(({ name }) => name === path)?.type
}

/** An expression with its last pair of parentheses, and what is in it, as one sign. */
function outer(cel: string): string {
  const masked = cel.replace(strings, (s) => 'x'.repeat(s.length))
  let depth = 0
  for (let i = masked.length - 1; i >= 0; i--) {
    if (masked[i] === ')') depth++
    else if (masked[i] === '(' && --depth === 0) return `${cel.slice(0, i)}_`
  }
  return cel
}
