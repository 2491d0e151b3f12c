import type { RunRecord } from '~/api/records'
import type { Flow, Json, JsonObject, RunView } from '~/api/types'

/** What a node does in a dry run; those that are not named succeed after a moment. */
export type Outcome = 'succeed' | 'fail' | 'retry' | 'skip'

/** What becomes of nodes, by path. */
export type Outcomes = ReadonlyMap<string, Outcome>

/** How long an operator of a dry run takes before he acts. */
const thinks = '1m'

/** The script of a dry run, in the format that the server reads. */
export function scriptOf(inputs: JsonObject, outcomes: Outcomes): JsonObject {
  const failing = [...outcomes].filter(([, outcome]) => outcome !== 'succeed')
  const acted = failing.filter(([, outcome]) => outcome !== 'fail')
  return {
    format: 'culm.script/v1',
    inputs,
    nodes: Object.fromEntries(failing.map(([path, outcome]) => [path, results(outcome)])),
    actions: acted.map(([path, outcome]) => ({ when: { node: path, state: 'failed' }, after: thinks, do: outcome })),
  }
}

/** A node that an operator is to see fails as often as it is called by itself, and once more. */
function results(outcome: Outcome): Json {
  const fail = { code: 'DRY_RUN', message: 'the dry run says so', origin: 'plugin' }
  return outcome === 'retry' ? [{ fail }] : [{ fail, always: true }]
}

/** What the server answers. */
export interface Report {
  state: RunView['state']
  begin: string
  elapsed_ms: number
  run: RunView
  records?: RunRecord[]
  stopped?: { code: string; message: string }
}

/** Whether the outcome of a node can be chosen: only plugins succeed or fail by themselves. */
export function choosable(node: Flow['nodes'][number]): boolean {
  return node.type === 'task'
}
