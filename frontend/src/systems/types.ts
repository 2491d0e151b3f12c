import type { Failure, Json, Schema, Text } from '~/api/types'

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

export interface Operation {
  id: string
  title: Text
  doc?: Text
  method: string
  path: string
  retry: Retry
  risk: Risk
  parameters?: Parameter[] | null
  body?: Schema
  body_required?: boolean
}

export interface Auth {
  type: string
  header?: string
  query?: string
}

/** A system that is registered in a project. It holds no credential. */
export interface System {
  id: string
  title: Text
  base_url: string
  auth: Auth
  credential_set: boolean
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
export type EntryKind = 'call' | 'admin' | 'log'

/** One line of the audit: a call that went through the gateway, or a change of what is allowed. */
export interface AuditEntry {
  seq: number
  prev: string
  at: string
  kind: EntryKind
  actor?: string
  on_behalf_of?: string
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
