import type { RunRecord } from '~/api/records'
import type { Json } from '~/api/types'

/** What somebody did to a run or to one of its nodes; the names of texts under `done`. */
export type Deed =
  | 'start'
  | 'pause'
  | 'resume'
  | 'revoke'
  | 'fail'
  | 'set_variable'
  | 'rollback'
  | 'hold'
  | 'release'
  | 'retry'
  | 'skip'
  | 'force_fail'
  | 'resolve'
  | 'reschedule'
  | 'answer'
  | 'late'

/** One entry of the operation log. */
export interface Operation {
  seq: number
  at: string
  actor: string
  deed: Deed
  /** The node it was about; absent for the run as a whole. */
  node?: string
  /** A reason in the operator's words, or what was set. */
  detail?: string
}

/** The actor of what happens by itself: results, timers, the options of a node. */
const itself = 'host'

/** Reads from a record what somebody did with it; undefined when nobody did. */
export function operationOf(record: RunRecord): Operation | undefined {
  const actor = record.actor?.id
  if (!actor || actor === itself) return undefined
  const said = deedOf(record)
  if (!said) return undefined
  return {
    seq: record.seq,
    at: record.at,
    actor,
    deed: said[0],
    ...(record.node ? { node: record.node } : {}),
    ...(said[1] ? { detail: said[1] } : {}),
  }
}

const deeds: ReadonlySet<string> = new Set(['retry', 'skip', 'force_fail', 'resolve'])

function deedOf(record: RunRecord): [Deed, string?] | undefined {
  switch (record.kind) {
    case 'run.started':
      return ['start']
    case 'run.state':
      return runDeed(record.data)
    case 'variable.set':
      // What a node has written is no operation.
      return record.node ? undefined : ['set_variable', `${record.data.name} = ${shortOf(record.data.value)}`]
    case 'run.rollback':
      return record.data.phase === 'begun' ? ['rollback', `${record.data.from} → ${record.data.to}`] : undefined
    case 'node.held':
      return [record.data.held ? 'hold' : 'release']
    case 'node.timer':
      return ['reschedule', record.data.due]
    case 'callback.kept':
      return ['answer']
    case 'node.late':
      return record.data.what === 'callback' ? ['late'] : undefined
    case 'node.state':
      return nodeDeed(record.data)
    default:
      return undefined
  }
}

function runDeed({ from, to, reason }: { from: string; to: string; reason?: string }): [Deed, string?] | undefined {
  if (to === 'suspended') return ['pause']
  if (from === 'suspended' && (to === 'running' || to === 'blocked')) return ['resume']
  if (to === 'revoked') return ['revoke', reason]
  return to === 'failed' ? ['fail', reason] : undefined
}

function nodeDeed(data: {
  from?: string
  to: string
  by?: string
  reason?: string
  failure?: { message: string }
}): [Deed, string?] | undefined {
  const { by } = data
  if (by === 'pause') return ['hold']
  if (by === 'resume') return ['release']
  if (by && deeds.has(by)) return [by as Deed, by === 'force_fail' ? data.failure?.message : undefined]
  return data.from === 'waiting' && data.reason === 'callback' ? ['answer'] : undefined
}

const detailMax = 120

function shortOf(value: Json): string {
  const text = JSON.stringify(value)
  return text.length > detailMax ? `${text.slice(0, detailMax)}…` : text
}
