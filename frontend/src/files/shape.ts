import type { Flow, Json, Schema } from '~/api/types'
import format from '../../../schemas/flow.v1.json'

/** One thing in a value that the format of flows does not have: a code with its arguments, and a JSON pointer. */
export interface Misfit {
  pointer: string
  code: 'UNKNOWN_FIELD' | 'MISSING_FIELD' | 'WRONG_TYPE' | 'WRONG_WORD' | 'WRONG_FORMAT' | 'TWICE'
  args: { [name: string]: string }
}

/** Nobody reads more of them; what is wrong everywhere is another kind of file. */
const misfitsMax = 100

const root = format as unknown as Schema
const formatName = 'culm.flow/v1'

/**
 * Says everything about a value that keeps it from being a flow document at all. What is
 * wrong with the flow that it describes is for the server to say.
 */
export function misfitsOf(value: Json): Misfit[] {
  const found: Misfit[] = []
  const word = isObject(value) ? value.format : undefined
  if (typeof word === 'string' && word !== formatName)
    return [{ pointer: '/format', code: 'WRONG_FORMAT', args: { format: word, known: formatName } }]
  walk(root, value, '', found)
  if (found.length === 0) found.push(...twice(value as unknown as Flow))
  return found.slice(0, misfitsMax)
}

function isObject(value: Json | undefined): value is { [key: string]: Json } {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

/** The schema that another one stands for. A flow inside a flow has the format of the whole. */
function resolved(schema: Schema): Schema {
  if (typeof schema.$ref !== 'string') return schema
  const name = schema.$ref.split('/').at(-1) ?? ''
  return ((root.$defs as { [name: string]: Schema })[name] ?? root) as Schema
}

function walk(given: Schema | true, value: Json, pointer: string, found: Misfit[]): void {
  if (given === true || found.length >= misfitsMax) return
  const schema = resolved(given)
  const kinds = kindsOf(schema)
  const fitting = kinds.find((s) => typeof s.type !== 'string' || fits(s.type, value))
  if (!fitting) {
    found.push({ pointer, code: 'WRONG_TYPE', args: { type: String(kinds[0]?.type) } })
    return
  }
  if (Array.isArray(fitting.enum) && !fitting.enum.includes(value)) {
    const known = fitting.enum.filter((w) => w !== '').join(', ')
    found.push({ pointer, code: 'WRONG_WORD', args: { text: String(value), known } })
  } else if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) walk(fitting.items as Schema, item, `${pointer}/${i}`, found)
  } else if (isObject(value)) fields(fitting, value, pointer, found)
}

function kindsOf(schema: Schema): Schema[] {
  return Array.isArray(schema.anyOf) ? (schema.anyOf as Schema[]) : [schema]
}

function fits(type: string, value: Json): boolean {
  if (type === 'array') return Array.isArray(value)
  if (type === 'object') return isObject(value)
  if (type === 'integer') return Number.isInteger(value)
  return typeof value === type
}

function fields(schema: Schema, value: { [key: string]: Json }, pointer: string, found: Misfit[]): void {
  const known = (schema.properties ?? {}) as { [name: string]: Schema | true }
  for (const [name, child] of Object.entries(value)) {
    const at = `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
    const rest = schema.additionalProperties as Schema | boolean | undefined
    const own = Object.hasOwn(known, name) ? known[name] : rest
    if (own === false || own === undefined) found.push({ pointer: at, code: 'UNKNOWN_FIELD', args: { name } })
    else walk(own, child, at, found)
  }
  for (const name of (schema.required ?? []) as string[])
    if (!Object.hasOwn(value, name)) found.push({ pointer, code: 'MISSING_FIELD', args: { name } })
}

/** Two things of one name could not be told apart on the canvas. */
function twice(flow: Flow): Misfit[] {
  const found: Misfit[] = []
  const look = (list: string, names: readonly string[], field: string) => {
    const seen = new Set<string>()
    for (const [i, name] of names.entries()) {
      if (seen.has(name)) found.push({ pointer: `/${list}/${i}/${field}`, code: 'TWICE', args: { name } })
      seen.add(name)
    }
  }
  look(
    'nodes',
    flow.nodes.map((n) => n.id),
    'id',
  )
  look(
    'edges',
    flow.edges.map((e) => e.id),
    'id',
  )
  look(
    'variables',
    (flow.variables ?? []).map((v) => v.name),
    'name',
  )
  return found
}
