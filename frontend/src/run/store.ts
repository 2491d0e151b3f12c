import { createContext, useCallback, useContext, useSyncExternalStore } from 'react'
import type { Frame, RunRecord } from '~/api/records'
import type { NodeState, NodeView, RunView } from '~/api/types'
import { applyFrame, type Changes, emptyChanges, modelOf, type Outcome, type RunModel } from './fold'
import { type Later, onTimer, Paced } from './pace'

type Listener = () => void

/** What a person is needed for: the same object until that changes. */
export interface Needs {
  /** Nodes that failed or whose effect is unknown, in the order they were reached. */
  failed: readonly string[]
  /** Nodes that wait for a person. */
  asking: readonly string[]
}

/** What the lists of a run need, replaced at every change of it. */
export interface RunSummaryView extends Needs {
  run: RunModel['run']
  counts: ReadonlyMap<NodeState, number>
}

/** Asks for one call of the function at the next frame; answers how to call it off. */
export type Schedule = (flush: () => void) => () => void

/** What reads the run as a whole is not drawn more often than this: nobody reads counts that change ten times a second. */
const summaryMs = 250
/** Rows out of sight are kept current for those who search and read aloud, and that is not urgent. */
const calmMs = 1000

/**
 * Holds what is known of one run, outside React. A node of the canvas subscribes
 * to its own id and is told at most once a frame, whatever number of records
 * came in; nothing here ever touches the array of nodes that the canvas draws.
 */
export class RunStore {
  readonly #model: RunModel
  readonly #nodeListeners = new Map<string, Set<Listener>>()
  readonly #edgeListeners = new Map<string, Set<Listener>>()
  readonly #runListeners = new Set<Listener>()
  readonly #anyListeners = new Set<Listener>()
  readonly #recordListeners = new Set<(records: readonly RunRecord[]) => void>()
  readonly #schedule: Schedule
  readonly #later: Later
  readonly #tellRun: Paced
  readonly #tellCalm: Paced
  readonly #calm = new Set<Listener>()
  #pending: Changes = emptyChanges()
  #cancelFlush: (() => void) | undefined
  #resting = false
  #urgent = false
  #summary: RunSummaryView | undefined
  #needs: Needs = { failed: [], asking: [] }
  #drawn: number
  #version = 0

  constructor(view: RunView, schedule: Schedule = nextFrame, later: Later = onTimer) {
    this.#model = modelOf(view, view.seq)
    this.#drawn = view.seq
    this.#schedule = schedule
    this.#later = later
    this.#tellRun = new Paced(() => notify(this.#runListeners), summaryMs, later)
    this.#tellCalm = new Paced(() => this.#flushCalm(), calmMs, later)
  }

  get seq(): number {
    return this.#model.seq
  }

  /** The last record that everybody was told of: a person has seen the run as it was then. */
  get drawn(): number {
    return this.#drawn
  }

  /** The run itself: the same object until it changes. */
  get run(): RunModel['run'] {
    return this.#model.run
  }

  /** Counts the flushes: what draws the whole run compares it. */
  get version(): number {
    return this.#version
  }

  /** Made when it is read: under many changes a second nobody looks at most of them. */
  get summary(): RunSummaryView {
    this.#summary ??= summarise(this.#model)
    return this.#summary
  }

  get needs(): Needs {
    const { failed, asking } = this.summary
    if (!same(failed, this.#needs.failed) || !same(asking, this.#needs.asking)) this.#needs = { failed, asking }
    return this.#needs
  }

  node(id: string): NodeView | undefined {
    return this.#model.nodes.get(id)
  }

  taken(edge: string): boolean {
    return this.#model.taken.has(edge)
  }

  /** The node that is most worth looking at: failed, asking, or at work. */
  hotspot(): string | undefined {
    const working = [...this.#model.nodes]
      .filter(([, n]) => n.state === 'running' || n.state === 'waiting')
      .map(([id]) => id)
    return [...this.summary.failed, ...this.summary.asking, ...working][0]
  }

  /** Applies a frame; 'gap' means that the stream must be resumed after seq. */
  apply(frame: Frame): Outcome {
    const before = this.#model.seq
    const outcome = applyFrame(this.#model, frame, this.#pending)
    if (frame.type !== 'ping') {
      const urgent = this.#isUrgent(frame)
      this.#urgent ||= urgent
      this.#requestFlush(urgent)
    }
    if (frame.type === 'records' && this.#recordListeners.size > 0) {
      const fresh = frame.records.filter((r) => r.seq > before && r.seq <= this.#model.seq)
      for (const listener of [...this.#recordListeners]) listener(fresh)
    }
    return outcome
  }

  /** Gives every record that is applied from now on, once and in order; what a snapshot jumps over is not among them. */
  onRecords(listener: (records: readonly RunRecord[]) => void): () => void {
    this.#recordListeners.add(listener)
    return () => this.#recordListeners.delete(listener)
  }

  onNode(id: string, listener: Listener): () => void {
    return listen(this.#nodeListeners, id, listener)
  }

  /** As onNode, for who is out of sight: told of all changes together, once a second at the most. */
  onNodeCalmly(id: string, listener: Listener): () => void {
    const off = listen(this.#nodeListeners, id, () => {
      this.#calm.add(listener)
    })
    return () => {
      off()
      this.#calm.delete(listener)
    }
  }

  onEdge(id: string, listener: Listener): () => void {
    return listen(this.#edgeListeners, id, listener)
  }

  /**
   * Told at once when the run itself changes, or what a person is needed for; of other nodes at most some times a
   * second, and always of the last change.
   */
  onRun(listener: Listener): () => void {
    this.#runListeners.add(listener)
    return () => this.#runListeners.delete(listener)
  }

  onAny(listener: Listener): () => void {
    this.#anyListeners.add(listener)
    return () => this.#anyListeners.delete(listener)
  }

  /** Tells every subscriber whose part changed since the last flush. */
  flush(): void {
    this.#cancelFlush?.()
    this.#cancelFlush = undefined
    const changes = this.#pending
    this.#pending = emptyChanges()
    const urgent = this.#urgent
    this.#urgent = false
    this.#version++
    this.#drawn = this.#model.seq
    this.#rest()
    if (changes.all || changes.run || changes.nodes.size > 0) {
      this.#summary = undefined
      const before = this.#needs
      if (changes.all || changes.run || (urgent && this.needs !== before)) this.#tellRun.now()
      else this.#tellRun.ask()
    }
    notifyKeys(this.#nodeListeners, changes.nodes, changes.all)
    notifyKeys(this.#edgeListeners, changes.edges, changes.all)
    if (this.#calm.size > 0) this.#tellCalm.ask()
    notify(this.#anyListeners)
  }

  #flushCalm(): void {
    const due = [...this.#calm]
    this.#calm.clear()
    notify(due)
  }

  /** Whether a frame holds more than work that goes on: a node that stopped for whatever reason, or the run itself. */
  #isUrgent(frame: Frame): boolean {
    if (frame.type !== 'records') return true
    return frame.records.some((r) => {
      if (r.kind === 'node.state') return !goesOn.has(r.data.to)
      return r.kind === 'run.state' || r.kind === 'node.held' || r.kind === 'run.rollback'
    })
  }

  #requestFlush(urgent: boolean): void {
    if (this.#cancelFlush || (this.#resting && !urgent)) return
    this.#cancelFlush = this.#schedule(() => {
      this.#cancelFlush = undefined
      this.flush()
    })
  }

  /** For a time after a flush only what is urgent is told; what came meanwhile is told then. */
  #rest(): void {
    if (this.#resting) return
    this.#resting = true
    this.#later(() => {
      this.#resting = false
      if (this.#drawn !== this.#model.seq) this.#requestFlush(true)
    }, drawnMs)
  }
}

/** States in which a node needs nobody, and goes on by itself. */
const goesOn: ReadonlySet<NodeState | ''> = new Set(['ready', 'running', 'succeeded', 'skipped'])

/**
 * Drawn more often than this, a run that changes all the time takes a processor for what nobody can follow. The first
 * change after a rest is drawn with the next frame, and so is what a person is needed for.
 */
const drawnMs = 125

/** Hidden tabs get no animation frames: they are served four times a second. */
const hiddenFlushMs = 250

function nextFrame(flush: () => void): () => void {
  if (document.hidden) {
    const timer = setTimeout(flush, hiddenFlushMs)
    return () => clearTimeout(timer)
  }
  // The timer is for the tab that is hidden before its frame comes.
  let done = false
  const once = () => {
    if (done) return
    done = true
    clearTimeout(timer)
    cancelAnimationFrame(frame)
    flush()
  }
  const frame = requestAnimationFrame(once)
  const timer = setTimeout(once, hiddenFlushMs)
  return () => {
    done = true
    clearTimeout(timer)
    cancelAnimationFrame(frame)
  }
}

function listen(map: Map<string, Set<Listener>>, key: string, listener: Listener): () => void {
  const set = map.get(key) ?? new Set()
  map.set(key, set)
  set.add(listener)
  return () => {
    set.delete(listener)
    if (set.size === 0 && map.get(key) === set) map.delete(key)
  }
}

function notify(listeners: Iterable<Listener>): void {
  for (const listener of [...listeners]) listener()
}

function notifyKeys(map: Map<string, Set<Listener>>, keys: Set<string>, all: boolean): void {
  if (all) {
    for (const set of [...map.values()]) notify(set)
    return
  }
  for (const key of keys) {
    const set = map.get(key)
    if (set) notify(set)
  }
}

/** Whether only a person can move the node on: one that is tried again by itself needs nobody yet. */
function needsDecision(node: NodeView): boolean {
  if (node.state === 'failed') return !node.due
  return node.state === 'unknown' || node.state === 'rollback_failed'
}

function summarise(model: RunModel): RunSummaryView {
  const counts = new Map<NodeState, number>()
  const failed: string[] = []
  const asking: string[] = []
  for (const [id, node] of model.nodes) {
    counts.set(node.state, (counts.get(node.state) ?? 0) + 1)
    if (needsDecision(node)) failed.push(id)
    if (node.state === 'waiting' && node.wait?.kind === 'human') asking.push(id)
  }
  return { run: model.run, counts, failed, asking }
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((id, i) => id === b[i])
}

/** The run that is shown around a component; null in the editor. */
export const RunContext = createContext<RunStore | null>(null)

/** What the drawing around a component is inside of: "deploy." for the flow of the subflow node deploy, "" for the run's own. */
export const ScopeContext = createContext('')

const none = () => () => undefined

/** The state of one node of the shown drawing; undefined when it was not reached. Calm is for what is out of sight. */
export function useNodeRun(name: string, calm = false): NodeView | undefined {
  const store = useContext(RunContext)
  const id = useContext(ScopeContext) + name
  const subscribe = useCallback(
    (listener: Listener) => {
      if (!store) return none()
      return calm ? store.onNodeCalmly(id, listener) : store.onNode(id, listener)
    },
    [store, id, calm],
  )
  return useSyncExternalStore(subscribe, () => store?.node(id))
}

/** Whether the shown run went over an edge. */
export function useTaken(name: string): boolean {
  const store = useContext(RunContext)
  const edge = useContext(ScopeContext) + name
  const subscribe = useCallback((listener: Listener) => (store ? store.onEdge(edge, listener) : none()), [store, edge])
  return useSyncExternalStore(subscribe, () => store?.taken(edge) ?? false)
}

/** Whether the shown run is going over an edge right now; of what else happens to the node behind it, its line need not know. */
export function useMoving(edge: string, target: string): boolean {
  const store = useContext(RunContext)
  const scope = useContext(ScopeContext)
  const subscribe = useCallback(
    (listener: Listener) => {
      if (!store) return none()
      const off = [store.onNode(scope + target, listener), store.onEdge(scope + edge, listener)]
      return () => {
        for (const stop of off) stop()
      }
    },
    [store, scope, edge, target],
  )
  return useSyncExternalStore(
    subscribe,
    () => !!store?.taken(scope + edge) && store.node(scope + target)?.state === 'running',
  )
}

/** The shown run as a whole: whoever asks for it is drawn anew several times a second. */
export function useRunSummary(store: RunStore): RunSummaryView {
  return useOfRun(store, () => store.summary)
}

/** The shown run itself, without its nodes. */
export function useRun(): RunModel['run'] {
  const store = useRunStore()
  return useOfRun(store, () => store.run)
}

/** What a person is needed for in the shown run. */
export function useNeeds(): Needs {
  const store = useRunStore()
  return useOfRun(store, () => store.needs)
}

/** Something of the shown run as a whole, which is the same object as long as it did not change. */
export function useOfRun<T>(store: RunStore, read: () => T): T {
  const subscribe = useCallback((listener: Listener) => store.onRun(listener), [store])
  return useSyncExternalStore(subscribe, read)
}

/** The store of the shown run. */
export function useRunStore(): RunStore {
  const store = useContext(RunContext)
  if (!store) throw new Error('no run is shown here')
  return store
}
