import type { FlowDocument } from '../e2e/steps'
import type { RunRecord } from '../src/api/records'

const [columnWidth, rowHeight] = [280, 104]

/**
 * A flow of about so many nodes: branches that run side by side, each a row of tasks. It begins with
 * a question to a person, so that its run stands still until somebody answers.
 */
export function wideFlow(name: string, nodes: number): FlowDocument {
  const branches = Math.max(2, Math.round(Math.sqrt(nodes / 2.5)))
  const length = Math.max(1, Math.round((nodes - 5) / branches))
  const middle = ((branches - 1) * rowHeight) / 2
  const at = (column: number, y: number) => ({ x: column * columnWidth, y })
  const drawn: object[] = [
    { id: 'start', type: 'start', position: at(0, middle) },
    {
      id: 'ask',
      type: 'task',
      plugin: 'core',
      action: 'confirm',
      inputs: { prompt: 'Go on?' },
      position: at(0.5, middle),
    },
    { id: 'fork', type: 'parallel', position: at(1.6, middle) },
    { id: 'join', type: 'join', position: at(length + 2, middle) },
    { id: 'end', type: 'end', position: at(length + 2.6, middle) },
  ]
  const edges: object[] = [
    { id: 'e0', from: 'start', to: 'ask' },
    { id: 'e1', from: 'ask', to: 'fork' },
    { id: 'e2', from: 'join', to: 'end' },
  ]
  for (let branch = 0; branch < branches; branch++) {
    let before = 'fork'
    for (let i = 0; i < length; i++) {
      const id = taskId(branch, i)
      drawn.push({
        id,
        type: 'task',
        name: `Check ${branch + 1}.${i + 1}`,
        plugin: 'core',
        action: 'assert',
        inputs: { condition: '${true}' },
        position: at(i + 2, branch * rowHeight),
      })
      edges.push({ id: `${id}_in`, from: before, to: id })
      before = id
    }
    edges.push({ id: `b${branch}_out`, from: before, to: 'join' })
  }
  return { format: 'culm.flow/v1', name, nodes: drawn, edges }
}

const taskId = (branch: number, i: number) => `t${branch}_${i}`

/** The ids of the tasks of a flow. */
export function tasksOf(flow: FlowDocument): string[] {
  return (flow.nodes as { id: string }[]).map((n) => n.id).filter((id) => id.startsWith('t'))
}

/** Endless changes of nodes as the stream brings them: each runs, succeeds, and runs again. */
export function* changes(tasks: readonly string[], after: number): Generator<RunRecord> {
  const running = new Set<string>()
  for (let seq = after + 1; ; seq++) {
    // A stride that has no divisor in common with the count visits every node before any twice.
    const node = tasks[(seq * 7919) % tasks.length] ?? ''
    const to = running.has(node) ? 'succeeded' : 'running'
    if (to === 'running') running.add(node)
    else running.delete(node)
    yield {
      seq,
      at: new Date().toISOString(),
      kind: 'node.state',
      node,
      data: { from: to === 'running' ? 'ready' : 'running', to, epoch: 1, attempt: 1 },
    } as RunRecord
  }
}
