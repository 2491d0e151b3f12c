import type { Json, NodeState, NodeView, RunDetail } from '~/api/types'
import type { PathNode } from '~/doc/paths'

/** How one node went in two runs. */
export interface NodeComparison {
  path: string
  here: NodeState
  there: NodeState | undefined
  /** In ms; undefined where the node did not run to its end. */
  tookHere: number | undefined
  tookThere: number | undefined
  /** It went differently, or was much slower. */
  news: 'state' | 'slower' | undefined
}

/** A node counts as slower when it took this many times as long, and this many ms more. */
const slowerTimes = 2
const slowerMs = 1000

/** States in which a node stays until somebody does something about it. */
const settled: ReadonlySet<NodeState> = new Set([
  'succeeded',
  'failed',
  'skipped',
  'cancelled',
  'unknown',
  'rolled_back',
  'rollback_failed',
])

/** Sets the nodes of a run beside those of another one. */
export function compareNodes(
  nodes: readonly PathNode[],
  here: (path: string) => NodeView | undefined,
  there: RunDetail,
): NodeComparison[] {
  return nodes.map(({ path }) => {
    const [a, b] = [here(path), there.nodes?.[path] as NodeView | undefined]
    const state = a?.state || 'idle'
    const [tookHere, tookThere] = [took(a), took(b)]
    return { path, here: state, there: b?.state || undefined, tookHere, tookThere, news: newsOf() }

    function newsOf(): NodeComparison['news'] {
      // What has not come to its end yet is no difference.
      if (settled.has(state) && state !== (b?.state || 'idle')) return 'state'
      if (tookHere === undefined || tookThere === undefined) return undefined
      return tookHere > tookThere * slowerTimes && tookHere > tookThere + slowerMs ? 'slower' : undefined
    }
  })
}

function took(view: NodeView | undefined): number | undefined {
  if (!view?.started_at || !view.ended_at) return undefined
  return Date.parse(view.ended_at) - Date.parse(view.started_at)
}

/** The variables of a run as one value. */
export function variablesOf(run: { variables?: { [name: string]: Json } }): Json {
  return run.variables ?? {}
}
