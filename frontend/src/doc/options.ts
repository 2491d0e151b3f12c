import type { FlowNode, NodeType } from '~/api/types'

/** The options of a node. */
export type Option = 'optional' | 'ignore' | 'mayRetry' | 'maySkip' | 'retry' | 'timeout' | 'repeat' | 'reruns'

const gateway: Option[] = ['mayRetry', 'maySkip']

const byType: Record<NodeType, Option[]> = {
  start: [],
  end: [],
  task: ['optional', 'ignore', 'mayRetry', 'maySkip', 'retry', 'timeout', 'repeat', 'reruns'],
  subflow: ['optional', 'mayRetry', 'reruns'],
  exclusive: gateway,
  parallel: gateway,
  inclusive: gateway,
  join: gateway,
}

const independent: Option[] = ['optional', 'ignore', 'mayRetry', 'maySkip', 'retry', 'timeout', 'reruns']

/** The options that a node may have, as the engine decides it. */
export function optionsOf(node: Pick<FlowNode, 'type' | 'mode'>): readonly Option[] {
  return node.type === 'subflow' && node.mode === 'independent' ? independent : byType[node.type]
}
