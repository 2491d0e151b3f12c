import type { Frame, NodeChanged, RollbackChanged, RunRecord } from '~/api/records'
import type { Json, NodeState, NodeView, RunState, RunView } from '~/api/types'

/**
 * What the browser knows of a run: a snapshot, and every record since folded
 * into it. Node entries are replaced and never changed in place, so that a
 * subscriber can compare them by identity.
 */
export interface RunModel {
  seq: number
  run: Omit<RunView, 'nodes' | 'taken' | 'seq'>
  nodes: Map<string, NodeView>
  taken: Set<string>
}

/** What a frame changed; `all` when the whole model is new. */
export interface Changes {
  all: boolean
  run: boolean
  nodes: Set<string>
  edges: Set<string>
}

/** The outcome of a frame: applied, or records are missing before it. */
export type Outcome = 'applied' | 'gap'

const endedNode: ReadonlySet<NodeState> = new Set([
  'succeeded',
  'failed',
  'skipped',
  'cancelled',
  'unknown',
  'rolled_back',
  'rollback_failed',
])

const endedRun: ReadonlySet<RunState> = new Set(['succeeded', 'failed', 'revoked'])

/** Whether nothing more happens to a run in this state. */
export function runEnded(state: RunState): boolean {
  return endedRun.has(state)
}

export function emptyChanges(): Changes {
  return { all: false, run: false, nodes: new Set(), edges: new Set() }
}

/** Makes a model from a view. */
export function modelOf(view: RunView, seq: number): RunModel {
  const { nodes, taken, seq: _seq, ...run } = view
  const known = Object.entries(nodes ?? {}).map(([id, n]) => [id, { ...n, state: n.state || 'idle' }] as const)
  return { seq, run, nodes: new Map(known), taken: new Set(taken ?? []) }
}

/**
 * Applies a frame in place and notes what changed. Records that were applied
 * before are passed over; at the first record that leaves a gap it stops and
 * answers 'gap', and the caller asks for what follows model.seq.
 */
export function applyFrame(model: RunModel, frame: Frame, changes: Changes): Outcome {
  if (frame.type === 'ping') return 'applied'
  if (frame.type === 'snapshot') {
    Object.assign(model, modelOf(frame.run, frame.seq))
    changes.all = true
    return 'applied'
  }
  for (const record of frame.records) {
    if (record.seq <= model.seq) continue
    if (record.seq !== model.seq + 1) return 'gap'
    applyRecord(model, record, changes)
    model.seq = record.seq
  }
  return 'applied'
}

function applyRecord(model: RunModel, record: RunRecord, changes: Changes): void {
  switch (record.kind) {
    case 'run.started':
      model.run = {
        ...model.run,
        name: record.data.name,
        version: record.data.version,
        variables: record.data.variables ?? {},
        ...(record.data.parent ? { parent: record.data.parent } : {}),
        ...(record.data.deadline ? { deadline: record.data.deadline } : {}),
      }
      changes.run = true
      return
    case 'run.state':
      model.run = { ...model.run, state: record.data.to }
      if (endedRun.has(record.data.to)) model.run.ended_at = record.at
      if (record.data.outputs) model.run.outputs = record.data.outputs
      changes.run = true
      return
    case 'variable.set':
      applyVariable(model, record.data, changes)
      return
    case 'node.state':
      applyNode(model, record.node, record.at, record.data, changes)
      return
    case 'node.note':
      applyNote(model, record.node, record.data.progress, changes)
      return
    case 'token.moved':
      if (record.data.edge) take(model, record.data.edge, changes)
      return
    case 'gateway.decided':
      for (const edge of record.data.edges ?? []) take(model, edge, changes)
      return
    case 'node.held':
      applyHeld(model, record.node, record.data.held, changes)
      return
    case 'run.rollback':
      applyRollback(model, record.data, changes)
      return
    case 'node.timer':
      patchNode(model, record.node, { due: record.data.due }, changes)
      return
    case 'node.late':
    case 'callback.kept':
    case 'scope.entered':
      if (record.node) changes.nodes.add(record.node)
      return
    default:
      // A kind this version does not know changes nothing it shows.
      return
  }
}

function applyVariable(
  model: RunModel,
  { scope, name, value }: { scope?: string; name: string; value: Json },
  changes: Changes,
): void {
  // Those of a subflow are not part of what is shown of the run.
  if (scope) return
  model.run = { ...model.run, variables: { ...model.run.variables, [name]: value } }
  changes.run = true
}

/** A rollback is shown while it is under way; when it ends, the edges behind count as not taken. */
function applyRollback(model: RunModel, data: RollbackChanged, changes: Changes): void {
  const { rollback: _ended, ...rest } = model.run
  const { phase, mode, from, to, edges } = data
  model.run = phase === 'begun' ? { ...rest, rollback: { mode, from, to } } : rest
  changes.run = true
  for (const edge of edges ?? []) if (model.taken.delete(edge)) changes.edges.add(edge)
}

function applyNode(model: RunModel, id: string | undefined, at: string, data: NodeChanged, changes: Changes): void {
  if (!id) return
  changes.nodes.add(id)
  const old = model.nodes.get(id)
  if (!data.to) {
    forget(model, id, changes)
    return
  }
  const next: NodeView = { state: data.to, attempt: data.attempt ?? old?.attempt ?? 1 }
  const iteration = data.iteration ?? old?.iteration
  if (iteration) next.iteration = iteration
  const fresh = !old || next.attempt !== old.attempt || (next.iteration ?? 0) !== (old.iteration ?? 0)
  if (!fresh) carry(old, next)
  if (old?.held && !letsGo(old, data)) next.held = true
  if (data.to === 'running') next.started_at ??= at
  if (endedNode.has(data.to)) {
    next.started_at ??= at
    next.ended_at = at
  }
  tell(old, data, next)
  model.nodes.set(id, next)
}

/** A rollback has forgotten the node: it is as if it had not been reached. */
function forget(model: RunModel, id: string, changes: Changes): void {
  const held = model.nodes.get(id)?.held
  model.nodes.delete(id)
  if (held) applyHeld(model, id, true, changes)
}

/** Whether the change ends that the node is held: the token has stopped, or the run below goes on. */
function letsGo(old: NodeView, data: NodeChanged): boolean {
  return (data.to === 'suspended' && data.from !== 'running') || old.wait?.kind === 'run'
}

function applyHeld(model: RunModel, id: string | undefined, held: boolean, changes: Changes): void {
  if (!id) return
  const { held: _old, ...rest } = model.nodes.get(id) ?? { state: 'idle', attempt: 0 }
  if (held) model.nodes.set(id, { ...rest, held })
  else if (rest.state === 'idle') model.nodes.delete(id)
  else model.nodes.set(id, rest)
  changes.nodes.add(id)
}

/** What stays while an attempt goes on. */
function carry(old: NodeView, next: NodeView): void {
  for (const key of ['started_at', 'repeat', 'child', 'progress'] as const) {
    if (old[key] !== undefined) Object.assign(next, { [key]: old[key] })
  }
  if (old.deadline && !endedNode.has(next.state)) next.deadline = old.deadline
}

/** What the change says itself. */
function tell(old: NodeView | undefined, data: NodeChanged, next: NodeView): void {
  for (const key of ['failure', 'due', 'deadline', 'repeat', 'child', 'by'] as const) {
    if (data[key]) Object.assign(next, { [key]: data[key] })
  }
  if (data.to === 'waiting' && data.wait) next.wait = data.wait
  // A node over whose failure its options let the flow go on keeps what it failed of.
  if (data.to === 'skipped' && data.by !== 'skip' && old?.failure) next.failure ??= old.failure
}

/** Changes what is shown of a node without a change of its state. */
function patchNode(model: RunModel, id: string | undefined, patch: Partial<NodeView>, changes: Changes): void {
  const old = id ? model.nodes.get(id) : undefined
  if (!id || !old) return
  model.nodes.set(id, { ...old, ...patch })
  changes.nodes.add(id)
}

function applyNote(model: RunModel, id: string | undefined, progress: NodeView['progress'], changes: Changes): void {
  patchNode(model, id, progress ? { progress } : {}, changes)
}

function take(model: RunModel, edge: string, changes: Changes): void {
  if (model.taken.has(edge)) return
  model.taken.add(edge)
  changes.edges.add(edge)
}
