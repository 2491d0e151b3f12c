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
  /** The operations that a secret may be sent to. */
  uses?: { system: string; operation: string }[]
}

export type NodeType = 'start' | 'end' | 'task' | 'subflow' | 'exclusive' | 'parallel' | 'inclusive' | 'join'

export interface Position {
  x: number
  y: number
}

/** How a failed node is tried again without anybody's doing. */
export interface RetryPolicy {
  max: number
  delay_ms?: number
  backoff?: number
  max_delay_ms?: number
  jitter?: number
}

export interface Timeout {
  after_ms: number
  action?: '' | 'skip'
}

export interface Repeat {
  times: number
  continue_on_failure?: boolean
  collect?: string
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
  /** What a subflow node runs; version 0 or absent is the latest. */
  flow?: string
  version?: number
  mode?: '' | 'independent'
  schemes?: string[]
  optional?: boolean
  ignore_failure?: boolean
  no_retry?: boolean
  no_skip?: boolean
  retry?: RetryPolicy
  timeout?: Timeout
  repeat?: Repeat
  max_reruns?: number
  position?: Position
}

export type NoteColour = '' | 'blue' | 'green' | 'pink' | 'grey'

/** Something that the authors of a flow tell each other, on the drawing: no run looks at it. */
export interface StickyNote {
  id: string
  text?: string
  x: number
  y: number
  w: number
  h: number
  /** Yellow where there is none. */
  colour?: NoteColour
}

/** A named selection of the optional nodes that are left out. */
export interface Scheme {
  id: string
  name?: Text
  without?: string[]
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
  timeout_ms?: number
  schemes?: Scheme[]
  notes?: StickyNote[]
  /** The flows that subflow nodes name, by "id" or "id@version": whole in the document of a run. */
  subflows?: { [reference: string]: Flow }
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

/** A CEL expression, or a value whose texts may hold `${...}`. */
export type ExpressionItem = { expression: string } | { value: Json }

/** What one expression is worth, or why it has no value. */
export interface ExpressionValue {
  value?: Json
  /** The size of a value that is too large to be shown. */
  bytes?: number
  error?: { code: string; message: string; name?: string; pointer?: string; offset?: number }
}

/** What expressions are worth over the values of a run; without one, over those of the document. */
export interface ExpressionValues {
  run?: { id: string; name: string; state: RunState; created_at: string }
  items: ExpressionValue[]
}

/** The body of an RFC 9457 problem. */
export interface ProblemBody {
  type?: string
  title: string
  status: number
  code: string
  /** In English; reason and args are what to translate it by. */
  detail?: string
  reason?: string
  args?: { [name: string]: string }
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
  /** What the client may do here besides what everybody may: `plugin:publish`, `plugin:approve`. */
  rights: string[]
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
  /** Set for an action of a module that was written without Culm in mind. */
  foreign?: { export: string }
}

/** One entry of what a plugin offers for a field. */
export interface Choice {
  value: Json
  label: string
  disabled?: boolean
  children?: Choice[]
}

/** What a plugin offers for a field, or why it cannot say. */
export interface Choices {
  choices: Choice[]
  failure?: Failure
}

export interface Manifest {
  format: string
  id: string
  version: string
  title: Text
  doc?: Text
  icon?: string
  actions: Action[]
  needs?: Grant[]
  limits?: {
    memory_bytes?: number
    output_bytes?: number
    log_bytes?: number
    host_calls?: number
    timeout_ms?: number
  }
}

/** An operation that a plugin asks for ("*" stands for any), or may call. */
export interface Grant {
  system: string
  operation: string
}

export interface Plugin {
  id: string
  version: string
  digest: string
  manifest: Manifest
  grants: Grant[] | null
  /** False where the project has switched the plugin off. */
  enabled: boolean
}

export interface SystemOperation {
  id: string
  title: Text
  doc?: Text
  method: string
  path: string
  retry: 'safe' | 'keyed' | 'never'
  risk: 'read' | 'write' | 'destructive'
  group?: string
  enabled: boolean
  /** What switched a disabled operation off; nothing when a person did. */
  disabled_by?: 'import' | 'change' | 'removal'
  imported?: boolean
}

/** A registered outside system. */
export interface SystemView {
  id: string
  title: Text
  base_url: string
  credential_set: boolean
  operations: SystemOperation[] | null
}

export type RunState = 'created' | 'running' | 'suspended' | 'blocked' | 'succeeded' | 'failed' | 'revoked'

/** What the server calls "" (not reached) is idle here. */
export type NodeState =
  | 'idle'
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
  /** The draft's revision that the latest version was made from. */
  published_revision: number
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

/** The node that started a run, in the run it belongs to. */
export interface RunParent {
  run: string
  node: string
  depth?: number
}

export interface RunSummary {
  id: string
  name: string
  parent?: RunParent
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
  request_id?: string
  attempts?: number
  hint?: string
  retry_after_ms?: number
  detail?: Json
}

export interface Wait {
  kind: WaitKind | 'run'
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
  /** Idle: the node was not reached, but an operator asked to stop before it. */
  state: NodeState
  iteration?: number
  attempt: number
  started_at?: string
  ended_at?: string
  wait?: Wait
  due?: string
  failure?: Failure
  progress?: Progress
  /** The next token stops before the node. */
  held?: boolean
  by?: string
  deadline?: string
  /** The ordinal of the iteration in a Repeat, from 1. */
  repeat?: number
  /** The run that an independent subflow started. */
  child?: string
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
  parent?: RunParent
  deadline?: string
  /** The rollback that is under way. */
  rollback?: { mode: RollbackMode; from: string; to: string }
  nodes: { [path: string]: Omit<NodeView, 'state'> & { state: NodeState | '' } } | null
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
  deadline?: string
  repeat?: number
  child?: string
  calls: GatewayCall[] | null
}

export interface NodeDetail {
  node: string
  state: NodeState
  held?: boolean
  /** The last record that is told of here. */
  seq: number
  attempts: Attempt[] | null
}

export type RollbackMode = 'any' | 'compensate'

/** What a rollback would do. */
export interface RollbackPlan {
  mode: RollbackMode
  from: string
  to: string
  steps: {
    node: string
    after?: string[]
    calls: number
    why?: 'mode_any' | 'no_support' | 'not_succeeded' | 'child_run' | 'start'
  }[]
  reset?: string[]
}

/** Every command may say which record its sender saw last. */
type Expecting = { expected_seq?: number }

export type RunCommand = Expecting &
  (
    | { command: 'pause' | 'resume' }
    | { command: 'revoke' | 'fail'; reason?: string }
    | { command: 'set_variables'; values: JsonObject; scope?: string }
    | { command: 'rollback'; from: string; to: string; mode: RollbackMode }
  )

export type NodeCommand = Expecting &
  (
    | { command: 'pause' | 'resume' }
    | { command: 'retry'; inputs?: JsonObject; only?: boolean; part?: 'iteration' }
    | { command: 'skip'; edges?: string[]; part?: 'iteration' }
    | { command: 'force_fail'; reason?: string }
    | { command: 'resolve'; as: 'done' | 'retry' | 'fail'; outputs?: Json }
    | { command: 'reschedule'; at: string }
    | { command: 'callback'; data: Json }
  )

/** A node of a run that needs a person. */
export interface Attention {
  need: 'answer' | 'decision'
  state: NodeState
  run: string
  run_name: string
  flow: string
  flow_name: Text
  version: number
  operator: string
  node: string
  node_name?: Text
  since: string
  prompt?: Text
  failure?: Failure
  /** How many further nodes of the run need the same. */
  more?: number
}

export interface AttentionPage extends Page<Attention> {
  answers: number
  decisions: number
}

/** A saved view of a list. */
export interface View {
  id: string
  list: 'flows' | 'runs'
  name: string
  query: string
  updated_by: string
  updated_at: string
}
