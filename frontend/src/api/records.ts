// The history of a run, and the frames of its live stream.
import type {
  Failure,
  Json,
  JsonObject,
  LogLine,
  NodeState,
  Progress,
  RollbackMode,
  RunParent,
  RunState,
  RunView,
  Wait,
} from './types'

interface RecordBase<K extends string, D> {
  seq: number
  at: string
  kind: K
  actor?: { id: string; on_behalf_of?: string }
  node?: string
  data: D
}

export interface NodeChanged {
  from?: NodeState | ''
  /** Empty when a rollback forgets the node. */
  to: NodeState | ''
  epoch?: number
  iteration?: number
  attempt?: number
  call?: number
  reason?: string
  failure?: Failure
  wait?: Wait
  due?: string
  by?: string
  deadline?: string
  repeat?: number
  child?: string
}

/** A rollback begins or ends. */
export interface RollbackChanged {
  phase: 'begun' | 'ended'
  mode: RollbackMode
  from: string
  to: string
  undone?: string[]
  /** When it ends: the edges that count as not taken any more. */
  edges?: string[]
}

export type RunRecord =
  | RecordBase<
      'run.started',
      {
        name: string
        flow: string
        version: number
        parent?: RunParent
        deadline?: string
        variables?: { [name: string]: Json }
      }
    >
  | RecordBase<'run.state', { from: RunState; to: RunState; reason?: string; outputs?: { [name: string]: Json } }>
  | RecordBase<'variable.set', { scope?: string; name: string; value: Json }>
  | RecordBase<'node.state', NodeChanged>
  | RecordBase<'node.note', { attempt: number; log?: LogLine[]; progress?: Progress }>
  | RecordBase<'node.late', JsonObject>
  | RecordBase<'callback.kept', JsonObject>
  | RecordBase<'token.moved', { token: number; from?: string; to?: string; edge?: string }>
  | RecordBase<'gateway.decided', { edges: string[] | null; by?: string }>
  | RecordBase<'scope.entered', { variables?: { [name: string]: Json } }>
  | RecordBase<'node.held', { held: boolean }>
  | RecordBase<'node.timer', { epoch: number; due: string }>
  | RecordBase<'run.rollback', RollbackChanged>

export type Frame =
  | { type: 'snapshot'; seq: number; run: RunView }
  | { type: 'records'; records: RunRecord[] }
  | { type: 'ping' }
