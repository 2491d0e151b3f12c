import type { Failure, Json, JsonObject, Schema, Text } from '~/api/types'

export type Retry = 'safe' | 'keyed' | 'never'
export type Risk = 'read' | 'write' | 'destructive'
export type Place = 'path' | 'query' | 'header' | 'compute'

/** A declared parameter of an operation. */
export interface Parameter {
  name: string
  in: Place
  doc?: Text
  wire?: string
  required?: boolean
  schema?: Schema
  /** The value may be a secret of a flow, which the gateway puts in. */
  secret?: boolean
}

/** An operation as lists show it. */
export interface Operation {
  id: string
  title: Text
  group?: string
  method: string
  path: string
  retry: Retry
  risk: Risk
  enabled: boolean
  /** What switched a disabled operation off; nothing when a person did. */
  disabled_by?: 'import' | 'change' | 'removal'
  imported?: boolean
}

/** Which answers mean that a call did its work. */
export interface Success {
  status?: number[] | null
  /** A condition in CEL. */
  rule?: string
  message?: string
}

/** Everything about an operation; its schemas stand alone. */
export interface OperationDetail extends Operation {
  system: string
  doc?: Text
  parameters: Parameter[] | null
  body?: Schema
  body_required?: boolean
  /** The schema of an object with the properties params and body: what a call takes. */
  form: Schema
  response?: Schema
  response_headers?: string[] | null
  success?: Success
  /** The plugins that were granted it. */
  plugins: string[]
}

/** The flows that name an operation: in a task, or as a place where a secret may be sent. */
export interface OperationUses {
  flows: { flow: string; name: Text; draft: boolean; published: boolean; nodes: string[] }[]
  more: boolean
}

/** How a call that a person made ended: with the system's answer, or with a failure. */
export interface CallAnswer {
  status?: number
  headers?: { [name: string]: string }
  body?: Json
  text?: string
  request_id?: string
  attempts?: number
  failure?: Failure
  duration_ms: number
}

export interface Auth {
  type: string
  header?: string
  query?: string
}

export interface OperationGroup {
  name: string
  operations: number
  enabled: number
}

/** A system that is registered in a project. It holds no credential. */
export interface System {
  id: string
  title: Text
  doc?: Text
  version: number
  updated_at: string
  updated_by: string
  base_url: string
  auth: Auth
  limits?: Limits
  success?: Success
  /** What its operations were imported from. */
  import?: { title?: string; version?: string; digest?: string }
  credential_set: boolean
  groups: OperationGroup[]
  operations: Operation[] | null
}

/** What is known of a secret of a project: never its value. */
export interface Secret {
  name: string
  version: number
  set_at: string
  set_by: string
  /** Keyed, and the same for equal values of the project. */
  fingerprint: string
}

export type Outcome = 'ok' | 'refused' | 'failed'
export type EntryKind = 'call' | 'admin' | 'callback' | 'log'

/** Where a request came from, as the server saw it and as a proxy says. */
export interface EntrySource {
  address?: string
  forwarded?: string
  agent?: string
}

/** One line of the audit: a call that went through the gateway, a callback, or a change of what is allowed. */
export interface AuditEntry {
  seq: number
  prev: string
  at: string
  kind: EntryKind
  actor?: string
  on_behalf_of?: string
  source?: EntrySource
  project?: string
  outcome: Outcome
  code?: string
  run?: string
  flow?: string
  node?: string
  iteration?: number
  attempt?: number
  plugin?: string
  digest?: string
  system?: string
  operation?: string
  method?: string
  /** The id of the credential that was used. */
  credential?: string
  request_hash?: string
  status?: number
  failure?: Failure
  /** The journal answered, and nothing was sent. */
  replayed?: boolean
  /** The system sent a secret back, which was taken out. */
  secret_echo?: boolean
  duration_us?: number
  action?: string
  subject?: { [name: string]: string }
  detail?: Json
}

/** What bounds every call of a system; what is absent takes the default. */
export interface Limits {
  timeout_ms?: number
  concurrency?: number
  rate?: number
  burst?: number
  queue_ms?: number
  request_bytes?: number
  response_bytes?: number
  breaker?: { failures?: number; open_ms?: number; half_open?: number }
  retry?: { attempts?: number; base_ms?: number; max_ms?: number }
}

/** What goes on between the project and a system now. */
export interface SystemState {
  under_way: number
  waiting: number
  /** Those that hold, with the defaults filled in. */
  limits: Limits
  breaker: {
    state: 'closed' | 'open' | 'half_open'
    /** Of the last seconds, or since the breaker is where it is. */
    calls: number
    failures: number
    retry_at?: string
  }
  last_failure?: { at: string; code?: string; http_status?: number }
}

/** A version of a credential: what may be known of it. */
export interface CredentialVersion {
  version: number
  id: string
  /** Stale ones were set for another kind or address, and are not used. */
  state: 'primary' | 'standby' | 'stale'
  set_at: string
  set_by: string
  fingerprint: string
  last_used_at?: string
  /** When its client certificate ends. */
  expires_at?: string
}

/** What may be known of the credential of a system: never a value. */
export interface Credential {
  kind: string
  /** A client certificate belongs to it. */
  certificate: boolean
  set: boolean
  /** Where the one that calls use comes from. */
  source?: 'project' | 'installation'
  versions: CredentialVersion[]
}

/** How far a call of a system gets. */
export interface ConnectionResult {
  ok: boolean
  stage?: Stage
  code?: string
  message?: string
  operation?: string
  base_because?: 'no_read_operation' | 'parameters_required' | 'switched_off'
  http_status?: number
  duration_ms: number
  steps: { stage: Stage; state: 'ok' | 'failed' | 'skipped' }[]
}

export type Stage = 'dns' | 'address' | 'tcp' | 'tls' | 'auth' | 'http'

/** A change of one field: short values only. */
export interface FieldChange {
  field: string
  from?: string
  to?: string
  /** The operation reaches or takes more than before, or that cannot be ruled out. */
  wider?: boolean
}

/** What becomes of one operation. */
export interface OperationChange {
  operation: string
  kind: 'added' | 'changed' | 'removed'
  title: Text
  group?: string
  method: string
  path: string
  risk: Risk
  fields?: FieldChange[]
  wider: boolean
  was_enabled: boolean
  enabled: boolean
  plugins?: string[]
}

/** What a document or an import would change. */
export interface Difference {
  system: string
  /** The stored version that it is against; 0 for a new system. */
  version: number
  fields: FieldChange[]
  changes: OperationChange[]
  unchanged: number
}

export interface ImportResult extends Difference {
  applied: boolean
  document: { openapi: string; title: string; version: string; digest: string; servers: string[]; operations: number }
  skipped: Skipped[]
}

/** What of an imported document cannot be called: an operation, or a part of one. */
export interface Skipped {
  method: string
  path: string
  /** What of an operation is left out; nothing where it is the whole. */
  part?: string
  in?: 'body' | Place | 'cookie'
  /** The parameter that it is about. */
  of?: string
  reason: string
  code?: string
  args?: { [name: string]: string }
}

export interface ImportInput {
  id: string
  document?: string
  contract?: string
  base_url?: string
  enable?: 'none' | 'read' | 'all'
  removed?: 'disable' | 'delete'
  apply?: boolean
  version?: number
}

/** An OpenAPI document that comes with the program. */
export interface Contract {
  id: string
  title: Text
  doc?: Text
}

export interface HistoryEntry {
  version: number
  action: 'put' | 'import' | 'enable' | 'delete'
  at: string
  actor: string
  summary: {
    added?: number
    changed?: number
    removed?: number
    enabled?: string[]
    disabled?: string[]
    revoked?: number
    fields?: FieldChange[]
  }
  document?: JsonObject
}
