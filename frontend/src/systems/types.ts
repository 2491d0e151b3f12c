import type { Schema, Text } from '~/api/types'

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
