import { ApiError } from '~/api/client'
import { validateFlow } from '~/api/queries'
import type { Flow, Json, Problem } from '~/api/types'
import { misfitsOf } from './shape'
import { type Place, type Read, readText } from './yaml'

/** The largest file that is read: what the server takes as a flow. */
export const bytesMax = 4 << 20

/** Something that is said about a place of the text. */
export interface Finding extends Place {
  level: 'error' | 'warning'
  /** What the page found, a code with its arguments; else what the server did. */
  code: string
  args: { [name: string]: string }
  problem?: Problem
  error?: ApiError
}

/** A text as it was understood: the flow in it, if there is one, and what is wrong. */
export interface Incoming {
  flow: Flow | undefined
  findings: Finding[]
  read: Read
}

/** Reads a flow document from YAML or JSON. Nothing of it goes to the server. */
export function incoming(text: string): Incoming {
  if (text.length > bytesMax) return refused(text, 'TOO_LARGE', { mib: String(bytesMax >> 20) })
  const read = readText(text)
  if (read.value === undefined)
    return { flow: undefined, read, findings: read.flaws.map((f) => ({ ...f, level: 'error' })) }
  if (isSops(read.value)) return refused(text, 'SOPS', {})
  const misfits = misfitsOf(read.value)
  const findings = misfits.map(
    (m): Finding => ({ ...read.placeOf(m.pointer), level: 'error', code: m.code, args: { ...m.args, at: m.pointer } }),
  )
  return { flow: findings.length > 0 ? undefined : (read.value as unknown as Flow), read, findings }
}

function refused(text: string, code: string, args: Finding['args']): Incoming {
  const read = readText(text.length > bytesMax ? '' : text)
  return { flow: undefined, read, findings: [{ ...read.placeOf(''), level: 'error', code, args }] }
}

/** Whether a value is what BK-SOPS exports. */
function isSops(value: Json): boolean {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return false
  return 'pipeline_template_data' in value || 'template_data' in value || 'pipeline_tree' in value
}

/** Asks the server what is wrong with the flow, and finds the lines of that. */
export async function checked(project: string, { flow, read }: Incoming, signal: AbortSignal): Promise<Finding[]> {
  if (!flow) return []
  try {
    const problems = await validateFlow(project, flow, signal)
    return problems.map((problem) => ({
      ...read.placeOf(pointerOf(flow, problem)),
      level: problem.level,
      code: problem.code,
      args: problem.args ?? {},
      problem,
    }))
  } catch (error) {
    if (signal.aborted || !(error instanceof ApiError)) return []
    const at = read.placeOf((error.body.field ?? '').replace(/^\/document/, ''))
    return [{ ...at, level: 'error', code: error.code, args: {}, error }]
  }
}

/** The place of a problem in the whole document. */
export function pointerOf(flow: Flow, problem: Problem): string {
  const find = (list: 'nodes' | 'edges' | 'variables', i: number) => (i < 0 ? '' : `/${list}/${i}`)
  const field = problem.field ?? ''
  if (problem.node !== undefined)
    return (
      find(
        'nodes',
        flow.nodes.findIndex((n) => n.id === problem.node),
      ) + field
    )
  if (problem.edge !== undefined)
    return (
      find(
        'edges',
        flow.edges.findIndex((e) => e.id === problem.edge),
      ) + field
    )
  if (problem.variable !== undefined)
    return (
      find(
        'variables',
        (flow.variables ?? []).findIndex((v) => v.name === problem.variable),
      ) + field
    )
  return field
}

/** Reads a file as text; null when it is too large or no text. */
export async function textOf(file: Blob): Promise<string | null> {
  if (file.size > bytesMax) return null
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await file.arrayBuffer())
  } catch {
    return null
  }
}
