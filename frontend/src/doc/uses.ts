import type { Flow, FlowNode, Json, Variable } from '~/api/types'
import { expressionsIn, expressionsOf, namesIn, nodesIn } from '~/form/expression'
import type { Command, Patch } from './commands'

/** A place of the document that reads or writes a variable. */
export interface Use {
  variable: string
  how: 'reads' | 'writes'
  /** Exactly one of the three is set: whose place it is. */
  node?: string
  edge?: string
  by?: string
  /** The field at that node, edge or variable, as a problem names it. */
  field: string
}

/** Every place where the document names its variables. */
export function usesOf(doc: Flow): Use[] {
  const known = new Set((doc.variables ?? []).map((v) => v.name))
  const uses: Use[] = []
  const read = (names: readonly string[], at: Omit<Use, 'variable' | 'how'>) => {
    for (const variable of new Set(names)) if (known.has(variable)) uses.push({ variable, how: 'reads', ...at })
  }
  for (const node of doc.nodes) {
    for (const [name, value] of inputsOf(node)) read(namesOf(value), { node: node.id, field: `/inputs/${name}` })
    for (const [variable, field] of writtenBy(node))
      if (known.has(variable)) uses.push({ variable, how: 'writes', node: node.id, field })
  }
  for (const edge of doc.edges) read(namesIn(edge.condition ?? ''), { edge: edge.id, field: '/condition' })
  for (const v of doc.variables ?? []) {
    for (const [names, field] of readBy(v)) read(names, { by: v.name, field })
  }
  return uses
}

/** The variables that a node writes, and where it says so. */
function writtenBy(node: FlowNode): [variable: string, field: string][] {
  const written = Object.keys(node.outputs ?? {}).map((v): [string, string] => [v, `/outputs/${v}`])
  return node.repeat?.collect ? [...written, [node.repeat.collect, '/repeat/collect']] : written
}

/** The names that a variable's own expressions read, and where. */
function readBy(v: Variable): [names: string[], field: string][] {
  return [
    [v.source === 'computed' ? namesIn(v.expression ?? '') : [], '/expression'],
    [v.source === 'constant' ? namesOf(v.value) : [], '/value'],
    [namesIn(v.show_if ?? ''), '/show_if'],
  ]
}

/** The inputs whose texts may hold expressions. */
function inputsOf(node: FlowNode): [string, Json][] {
  const literal = new Set(node.literal ?? [])
  return Object.entries(node.inputs ?? {}).filter(([name]) => !literal.has(name))
}

function namesOf(value: Json | undefined): string[] {
  return expressionsOf(value).flatMap(namesIn)
}

/** What a node does with variables, and whose outputs it reads. */
export interface Perspective {
  reads: string[]
  writes: string[]
  /** The nodes whose outputs it names. */
  nodes: string[]
}

/** What one node reads and writes; of a gateway also what the conditions behind it read. */
export function perspectiveOf(doc: Flow, id: string): Perspective {
  const node = doc.nodes.find((n) => n.id === id)
  const out = new Set(doc.edges.filter((e) => e.from === id).map((e) => e.id))
  const own = usesOf(doc).filter((u) => u.node === id || (u.edge !== undefined && out.has(u.edge)))
  const expressions = [
    ...(node ? inputsOf(node).flatMap(([, value]) => expressionsOf(value)) : []),
    ...doc.edges.filter((e) => e.from === id && e.condition).map((e) => e.condition as string),
  ]
  const names = (how: Use['how']) => [...new Set(own.filter((u) => u.how === how).map((u) => u.variable))]
  return { reads: names('reads'), writes: names('writes'), nodes: [...new Set(expressions.flatMap(nodesIn))] }
}

/** What is odd about a variable. */
export type Hint = 'unused' | 'cyclic' | 'neverWritten'

/** Hints for the variables of a document, by name; most have none. */
export function hintsOf(doc: Flow, uses: readonly Use[]): Map<string, Hint> {
  const hints = new Map<string, Hint>()
  const variables = doc.variables ?? []
  const needs = new Map<string, string[]>()
  for (const u of uses) if (u.by && u.field !== '/show_if') needs.set(u.by, [...(needs.get(u.by) ?? []), u.variable])
  for (const v of variables) {
    const own = uses.filter((u) => u.variable === v.name)
    if (reaches(needs, v.name)) hints.set(v.name, 'cyclic')
    else if (v.source === 'node' && !own.some((u) => u.how === 'writes') && v.value === undefined)
      hints.set(v.name, 'neverWritten')
    else if (!v.output && !own.some((u) => u.how === 'reads' && u.by !== v.name)) hints.set(v.name, 'unused')
  }
  return hints
}

/** Whether what a variable needs leads back to it. */
function reaches(needs: ReadonlyMap<string, string[]>, name: string): boolean {
  const seen = new Set<string>()
  const open = [...(needs.get(name) ?? [])]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next === name) return true
    if (seen.has(next)) continue
    seen.add(next)
    open.push(...(needs.get(next) ?? []))
  }
  return false
}

/** Renames a variable wherever the document names it: one command, so one step back. */
export function renameEverywhere(doc: Flow, from: string, to: string): Command {
  const commands: Command[] = []
  for (const node of doc.nodes) {
    const patch = renamedNode(node, from, to)
    if (patch) commands.push({ op: 'set', list: 'nodes', key: node.id, patch })
  }
  for (const edge of doc.edges) {
    const condition = edge.condition && renameIn(edge.condition, from, to)
    if (condition !== edge.condition) commands.push({ op: 'set', list: 'edges', key: edge.id, patch: { condition } })
  }
  for (const v of doc.variables ?? []) {
    const patch = renamedVariable(v, from, to)
    if (Object.keys(patch).length > 0) commands.push({ op: 'set', list: 'variables', key: v.name, patch })
  }
  return { op: 'batch', commands }
}

function renamedNode(node: FlowNode, from: string, to: string): Patch<FlowNode> | null {
  const patch: Patch<FlowNode> = {}
  if (node.inputs) {
    const literal = new Set(node.literal ?? [])
    const inputs = Object.fromEntries(
      Object.entries(node.inputs).map(([k, v]) => [k, literal.has(k) ? v : renameInValue(v, from, to)]),
    )
    if (JSON.stringify(inputs) !== JSON.stringify(node.inputs)) patch.inputs = inputs
  }
  if (node.outputs && from in node.outputs)
    patch.outputs = Object.fromEntries(Object.entries(node.outputs).map(([k, v]) => [k === from ? to : k, v]))
  if (node.repeat?.collect === from) patch.repeat = { ...node.repeat, collect: to }
  return Object.keys(patch).length > 0 ? patch : null
}

function renamedVariable(v: Variable, from: string, to: string): Patch<Variable> {
  const patch: Patch<Variable> = {}
  const expression = v.expression && renameIn(v.expression, from, to)
  if (expression !== v.expression) patch.expression = expression
  const shown = v.show_if && renameIn(v.show_if, from, to)
  if (shown !== v.show_if) patch.show_if = shown
  if (v.source === 'constant' && v.value !== undefined) {
    const value = renameInValue(v.value, from, to)
    if (JSON.stringify(value) !== JSON.stringify(v.value)) patch.value = value
  }
  if (v.name === from) patch.name = to
  return patch
}

function renameInValue(value: Json, from: string, to: string): Json {
  if (typeof value === 'string') {
    let out = ''
    let at = 0
    for (const span of expressionsIn(value)) {
      out += value.slice(at, span.from) + renameIn(value.slice(span.from, span.to), from, to)
      at = span.to
    }
    return out + value.slice(at)
  }
  if (Array.isArray(value)) return value.map((v) => renameInValue(v, from, to))
  if (value !== null && typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, renameInValue(v, from, to)]))
  return value
}

const macro = (name: string) => new RegExp(`\\.(?:all|exists|exists_one|map|filter)\\s*\\(\\s*${name}\\s*,`)
const piece = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\.?\s*[A-Za-z_]\w*(?=\s*\()|\.\s*[A-Za-z_]\w*|[A-Za-z_]\w*/g

/** Renames a variable in CEL: texts, fields, functions, and names that a macro binds stay as they are. */
export function renameIn(cel: string, from: string, to: string): string {
  if (macro(from).test(cel)) return cel
  return cel.replace(piece, (token) => (token === from ? to : token))
}
