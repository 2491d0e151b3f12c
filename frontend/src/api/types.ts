/**
 * The shapes of the HTTP API and of the live stream, as docs/api.md and the Go
 * types behind it define them. Everything that crosses the wire is typed here
 * and nowhere else.
 */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
export type JsonObject = { [key: string]: Json }

/** A JSON Schema (2020-12) with the `ui:*` and `x-*` keywords of the form profile. */
export type Schema = { [keyword: string]: Json | undefined }

/** A short text: one string for every language, or one per language. */
export type Text = string | { en: string; zh: string }

export type VariableSource = 'input' | 'constant' | 'computed' | 'node'

export interface Variable {
  name: string
  title?: Text
  doc?: Text
  schema?: Schema
  source: VariableSource
  value?: Json
  expression?: string
  show_if?: string
  required?: boolean
  output?: boolean
  secret?: boolean
}

export type NodeType = 'start' | 'end' | 'task' | 'subflow' | 'exclusive' | 'parallel' | 'inclusive' | 'join'

export interface Position {
  x: number
  y: number
}

export interface FlowNode {
  id: string
  type: NodeType
  name?: Text
  doc?: Text
  plugin?: string
  action?: string
  inputs?: { [name: string]: Json }
  literal?: string[]
  outputs?: { [variable: string]: string }
  strategy?: '' | 'first'
  position?: Position
}

export interface FlowEdge {
  id: string
  from: string
  to: string
  name?: Text
  condition?: string
  default?: boolean
}

export interface Flow {
  format: string
  id?: string
  name: Text
  doc?: Text
  variables?: Variable[]
  nodes: FlowNode[]
  edges: FlowEdge[]
  on_failure?: '' | 'fail'
}

export interface Problem {
  code: string
  message: string
  level: 'error' | 'warning'
  node?: string
  edge?: string
  variable?: string
  field?: string
  args?: { [name: string]: string }
}

/** The body of an RFC 9457 problem. */
export interface ProblemBody {
  type?: string
  title: string
  status: number
  code: string
  detail?: string
  field?: string
  node?: string
  problems?: Problem[]
  current?: JsonObject
}

export interface Page<T> {
  items: T[]
  next?: string
}

export interface Meta {
  version: string
  commit: string
  demo: boolean
  actor: string
}

export interface Project {
  id: string
  name: string
  zone: string
}

export type WaitKind = 'poll' | 'timer' | 'callback' | 'human'

export interface Action {
  id: string
  title: Text
  doc?: Text
  icon?: string
  inputs: Schema
  outputs: Schema
  waits?: WaitKind[]
  cancel?: boolean
  rollback?: boolean
  options?: boolean
  timeout_ms?: number
}

export interface Manifest {
  format: string
  id: string
  version: string
  title: Text
  doc?: Text
  icon?: string
  actions: Action[]
  needs?: { system: string; operation: string }[]
}

export interface Plugin {
  id: string
  version: string
  digest: string
  manifest: Manifest
  grants: { system: string; operation: string }[] | null
}

export type RunState = 'created' | 'running' | 'suspended' | 'blocked' | 'succeeded' | 'failed' | 'revoked'

export type NodeState =
  | 'ready'
  | 'running'
  | 'waiting'
  | 'suspended'
  | 'succeeded'
  | 'failed'
  | 'skipped'
  | 'cancelled'
  | 'unknown'
  | 'rolling_back'
  | 'rolled_back'
  | 'rollback_failed'

export interface FlowSummary {
  id: string
  name: Text
  doc?: Text
  revision: number
  version: number
  nodes: number
  updated_at: string
  updated_by: string
  valid: boolean
  last_run?: { id: string; state: RunState; created_at: string }
}

export interface FlowDetail {
  id: string
  document: Flow
  revision: number
  version: number
  published_revision: number
  problems: Problem[] | null
  updated_at: string
  updated_by: string
}

export interface FlowVersion {
  version: number
  digest: string
  created_at: string
  created_by: string
  note?: string
}

export interface RunSummary {
  id: string
  name: string
  flow: string
  flow_name: Text
  version: number
  state: RunState
  seq: number
  operator: string
  created_at: string
  ended_at?: string
}

export type Origin = 'flow' | 'plugin' | 'limit' | 'gateway' | 'system' | 'host'

export interface Failure {
  code: string
  message: string
  origin?: Origin
  retryable?: boolean
  system?: string
  operation?: string
  http_status?: number
  detail?: Json
}

export interface Wait {
  kind: WaitKind
  after_ms?: number
  at?: string
  prompt?: Text
  schema?: Schema
}

export interface Progress {
  percent: number
  message?: string
}

export interface NodeView {
  state: NodeState
  iteration?: number
  attempt: number
  started_at?: string
  ended_at?: string
  wait?: Wait
  due?: string
  failure?: Failure
  progress?: Progress
}

export interface RunView {
  id: string
  name: string
  project: string
  flow: string
  version: number
  state: RunState
  seq: number
  operator: string
  created_at: string
  ended_at?: string
  variables?: { [name: string]: Json }
  outputs?: { [name: string]: Json }
  nodes: { [id: string]: NodeView } | null
  taken?: string[] | null
}

export interface RunDetail extends RunView {
  document: Flow
  flow_name: Text
}

export interface LogLine {
  at: string
  level: 'debug' | 'info' | 'warn' | 'error'
  text: string
}

export interface GatewayCall {
  at: string
  system: string
  operation: string
  method: string
  status?: number
  failure?: Failure
  duration_ms: number
}

export interface Attempt {
  iteration: number
  attempt: number
  state: NodeState
  started_at?: string
  ended_at?: string
  inputs?: Json
  outputs?: Json
  failure?: Failure
  wait?: Wait
  due?: string
  log: LogLine[] | null
  progress?: Progress
  digest?: string
  by?: string
  calls: GatewayCall[] | null
}

export interface NodeDetail {
  node: string
  state: NodeState
  attempts: Attempt[] | null
}

export type RunCommand = { command: 'pause' | 'resume' | 'revoke'; reason?: string; expected_seq?: number }

export type NodeCommand =
  | { command: 'retry'; inputs?: JsonObject }
  | { command: 'skip'; edges?: string[] }
  | { command: 'force_fail'; reason?: string }
  | { command: 'resolve'; as: 'done' | 'retry' | 'fail'; outputs?: Json }
  | { command: 'callback'; data: Json }

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
  to: NodeState
  epoch?: number
  iteration?: number
  attempt?: number
  call?: number
  reason?: string
  failure?: Failure
  wait?: Wait
  due?: string
  by?: string
}

export type RunRecord =
  | RecordBase<'run.started', { name: string; flow: string; version: number; variables?: { [name: string]: Json } }>
  | RecordBase<'run.state', { from: RunState; to: RunState; reason?: string; outputs?: { [name: string]: Json } }>
  | RecordBase<'variable.set', { name: string; value: Json }>
  | RecordBase<'node.state', NodeChanged>
  | RecordBase<'node.note', { attempt: number; log?: LogLine[]; progress?: Progress }>
  | RecordBase<'node.late', JsonObject>
  | RecordBase<'callback.kept', JsonObject>
  | RecordBase<'token.moved', { token: number; from?: string; to?: string; edge?: string }>
  | RecordBase<'gateway.decided', { edges: string[] | null; by?: string }>

export type Frame =
  | { type: 'snapshot'; seq: number; run: RunView }
  | { type: 'records'; records: RunRecord[] }
  | { type: 'ping' }
