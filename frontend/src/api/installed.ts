// What is installed: plugins in all their versions, whom they are trusted by, and how their calls go.
import type { Manifest, Origin, RunState, Text } from './types'

export type PluginState = 'pending' | 'active' | 'withdrawn' | 'blocked'

/** Why a version waits for a review. */
export interface Hold {
  code: 'ASKS_OPERATION' | 'ASKS_LIMIT' | 'PUBLISHER_CHANGED' | 'NAME_CONFUSABLE'
  detail: string
}

/** One installed module. Lists leave the manifest out. */
export interface PluginVersion {
  plugin: string
  version: string
  digest: string
  manifest?: Manifest
  bytes: number
  installed_at: string
  installed_by: string
  latest: boolean
  state: PluginState
  held?: Hold[]
  signatures: { key_id: string; publisher: string }[]
  shipped: boolean
  trusted: boolean
  /** What it takes in memory at the moment; absent when it is not loaded. */
  loaded?: { server_bytes: number; workers: number; worker_bytes: number }
}

/** A plugin of the installation with all its versions, the highest first. */
export interface InstalledPlugin {
  id: string
  title: Text
  doc?: Text
  icon?: string
  versions: PluginVersion[]
}

export interface PluginEvent {
  id: number
  at: string
  actor: { id: string; on_behalf_of?: string }
  kind:
    | 'installed'
    | 'held'
    | 'refused'
    | 'approved'
    | 'activated'
    | 'rolled_back'
    | 'withdrawn'
    | 'blocked'
    | 'signed'
    | 'key_revoked'
  plugin?: string
  version?: string
  digest?: string
  detail?: string
}

export type PluginCommand = 'approve' | 'activate' | 'withdraw' | 'block'

export interface Trust {
  policy: 'required' | 'warn' | 'off'
  keys: { id: string; publisher: string; plugins: string[] | null; revoked: boolean }[]
}

/** Where a plugin is used in a project. */
export interface PluginUses {
  flows: { flow: string; name: Text; draft: boolean; versions: number[]; latest: number; actions: string[] }[]
  more_flows: boolean
  /** Runs that have not ended and pinned the plugin. */
  runs: {
    id: string
    name: string
    flow: string
    flow_name: Text
    version: number
    state: RunState
    created_at: string
    digest: string
  }[]
  /** How many such runs there are, by digest. */
  live: { [digest: string]: number }
  more_runs: boolean
}

export type HealthWindow = 'day' | 'week'

/** How calls went. */
export interface HealthFigures {
  calls: number
  failures: number
  cancelled: number
  limits_hit: number
  p50_ms: number
  p99_ms: number
  longest_ms: number
  codes: { code: string; origin?: Origin; count: number }[]
  last_failure?: { at: string; code: string; run: string; node: string }
}

export interface PluginHealth {
  plugin: string
  window: HealthWindow
  since: string
  total: HealthFigures
  versions: (HealthFigures & { digest: string })[]
  hours: { at: string; calls: number; failures: number }[]
}

export interface HealthSummary {
  plugin: string
  calls: number
  failures: number
  limits_hit: number
  p99_ms: number
}
