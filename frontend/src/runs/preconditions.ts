import type { Flow, FlowNode, NodeView, RunState } from '~/api/types'
import { runEnded } from '~/run/fold'

/** What an operator can do to one node. */
export type Operation =
  | 'retry'
  | 'skip'
  | 'resolve'
  | 'reschedule'
  | 'force_fail'
  | 'pause'
  | 'resume'
  | 'rollback'
  | 'answer'

/** Why an operation cannot be done now: the names of texts under `why`. */
export type Reason =
  | 'ended'
  | 'notReached'
  | 'notFailed'
  | 'retryOff'
  | 'skipOff'
  | 'skipInside'
  | 'skipKind'
  | 'notUnknown'
  | 'noTime'
  | 'notAtWork'
  | 'failInside'
  | 'begun'
  | 'held'
  | 'atStart'
  | 'notHeld'
  | 'notTask'
  | 'notDone'
  | 'runPaused'
  | 'goingBack'
  | 'noQuestion'

/** An operation, and why not. */
export interface Verdict {
  op: Operation
  why?: Reason
}

/** What the rules look at. */
export interface Situation {
  node: FlowNode
  /** The flow that the node is drawn in. */
  flow: Pick<Flow, 'edges'>
  view: NodeView | undefined
  run: { state: RunState; rollback?: object }
  /** Whether a loop further out leads back to the subflow that the node is in. */
  comesAgain?: boolean
}

type Rule = (s: Situation) => Reason | undefined

/** The engine's own rules (docs/engine.md), the likeliest operation first; the server has the last word. */
const rules: [Operation, Rule][] = [
  ['answer', mayAnswer],
  ['retry', mayRetry],
  ['skip', maySkip],
  ['resolve', ({ view }) => (view?.state === 'unknown' ? undefined : reached(view) ? 'notUnknown' : 'notReached')],
  ['reschedule', mayReschedule],
  ['force_fail', mayForceFail],
  ['resume', ({ view }) => (view?.held || view?.state === 'suspended' ? undefined : 'notHeld')],
  ['pause', mayPause],
  ['rollback', mayRollBack],
]

/** Judges every operation on a node as things are now. */
export function judge(situation: Situation): Verdict[] {
  if (runEnded(situation.run.state)) return rules.map(([op]) => ({ op, why: 'ended' }))
  return rules.map(([op, rule]) => {
    const why = rule(situation)
    return why ? { op, why } : { op }
  })
}

function reached(view: NodeView | undefined): view is NodeView {
  return view !== undefined && view.state !== 'idle'
}

function mayAnswer({ view }: Situation): Reason | undefined {
  const kind = view?.state === 'waiting' ? view.wait?.kind : undefined
  if (kind === 'human' || kind === 'callback') return undefined
  return reached(view) ? 'noQuestion' : 'notReached'
}

/** A rollback that failed is always tried again or passed over; a node's own options are about its attempts. */
function mayRetry({ node, view, run }: Situation): Reason | undefined {
  if (view?.state === 'rollback_failed') return run.state === 'suspended' ? 'runPaused' : undefined
  if (view?.state !== 'failed') return reached(view) ? 'notFailed' : 'notReached'
  return node.no_retry ? 'retryOff' : undefined
}

const skippable: ReadonlySet<string> = new Set(['task', 'subflow', 'exclusive', 'inclusive'])

function maySkip({ node, view }: Situation): Reason | undefined {
  if (view?.state === 'rollback_failed') return undefined
  if (view?.state !== 'failed') return reached(view) ? 'notFailed' : 'notReached'
  if (!skippable.has(node.type)) return 'skipKind'
  if (isInline(node)) return 'skipInside'
  return node.no_skip ? 'skipOff' : undefined
}

function mayReschedule({ view }: Situation): Reason | undefined {
  if (!reached(view)) return 'notReached'
  if (view.state === 'failed' && view.due) return undefined
  const timed = view.wait?.kind === 'timer' || view.wait?.kind === 'poll'
  return view.state === 'waiting' && view.due && timed ? undefined : 'noTime'
}

function mayForceFail({ node, view }: Situation): Reason | undefined {
  if (!reached(view)) return 'notReached'
  if (view.state === 'rolling_back') return undefined
  if (view.state !== 'running' && view.state !== 'waiting') return 'notAtWork'
  return isInline(node) ? 'failInside' : undefined
}

function mayPause(s: Situation): Reason | undefined {
  const { node, view } = s
  if (view?.held || view?.state === 'suspended') return 'held'
  if (node.type === 'start') return 'atStart'
  if (runsBelow(node, view)) return undefined
  if (!reached(view) || view.state === 'ready' || s.comesAgain) return undefined
  return loops(s.flow, node.id) ? undefined : 'begun'
}

function mayRollBack({ node, view, run }: Situation): Reason | undefined {
  if (node.type !== 'task') return 'notTask'
  if (view?.state !== 'succeeded' && view?.state !== 'skipped') return 'notDone'
  if (run.rollback) return 'goingBack'
  return run.state === 'suspended' ? 'runPaused' : undefined
}

function isInline(node: FlowNode): boolean {
  return node.type === 'subflow' && !node.mode
}

/** Whether a pause stops what runs inside or below the node, and not the token before it. */
export function runsBelow(node: FlowNode, view: NodeView | undefined): boolean {
  if (node.type !== 'subflow' || !view) return false
  if (node.mode) return view.state === 'waiting' && view.wait?.kind === 'run'
  return view.state === 'running' || view.state === 'suspended'
}

/** Whether the lines of a flow lead from a node back to it. */
export function loops(flow: Pick<Flow, 'edges'>, id: string): boolean {
  const next = new Map<string, string[]>()
  for (const e of flow.edges) next.set(e.from, [...(next.get(e.from) ?? []), e.to])
  const seen = new Set<string>()
  const todo = [...(next.get(id) ?? [])]
  for (let at = todo.pop(); at !== undefined; at = todo.pop()) {
    if (at === id) return true
    if (seen.has(at)) continue
    seen.add(at)
    todo.push(...(next.get(at) ?? []))
  }
  return false
}

/** What an operator may do to the run as a whole. */
export type RunOperation = 'pause' | 'resume' | 'setVariables' | 'revoke' | 'fail'

export type RunReason = 'ended' | 'paused' | 'notPaused' | 'noVariables'

/** Judges every operation on the run. */
export function judgeRun(state: RunState, variables: number): { op: RunOperation; why?: RunReason }[] {
  const ended = runEnded(state)
  const why = (op: RunOperation): RunReason | undefined => {
    if (ended) return 'ended'
    if (op === 'pause' && state === 'suspended') return 'paused'
    if (op === 'resume' && state !== 'suspended') return 'notPaused'
    return op === 'setVariables' && variables === 0 ? 'noVariables' : undefined
  }
  return (['pause', 'resume', 'setVariables', 'revoke', 'fail'] as const).map((op) => {
    const reason = why(op)
    return reason ? { op, why: reason } : { op }
  })
}
