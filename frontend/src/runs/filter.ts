import type { NodeState, NodeView } from '~/api/types'

/** A group of states that the list is filtered by. */
export type Group = 'failed' | 'asking' | 'active' | 'paused' | 'todo' | 'skipped' | 'ok'

/** The groups in the order in which an operator wants to see them. */
export const groups: readonly Group[] = ['failed', 'asking', 'active', 'paused', 'todo', 'skipped', 'ok']

const groupOfState: Record<NodeState, Group> = {
  idle: 'todo',
  ready: 'active',
  running: 'active',
  waiting: 'active',
  suspended: 'paused',
  succeeded: 'ok',
  failed: 'failed',
  skipped: 'skipped',
  cancelled: 'skipped',
  unknown: 'failed',
  rolling_back: 'active',
  rolled_back: 'skipped',
  rollback_failed: 'failed',
}

/** The group that a node belongs to as it is now; every node is in exactly one. */
export function groupOf(view: Pick<NodeView, 'state' | 'wait'> | undefined): Group {
  if (view?.state === 'waiting' && view.wait?.kind === 'human') return 'asking'
  return groupOfState[view?.state ?? 'idle'] ?? 'todo'
}

/** Reads the groups of an address; what is no group is passed over. */
export function groupsIn(show: string | undefined): ReadonlySet<Group> {
  return new Set(groups.filter((g) => show?.split(',').includes(g)))
}

/** Switches a group on or off, and writes the address. */
export function toggled(chosen: ReadonlySet<Group>, group: Group): string | undefined {
  return groups.filter((g) => chosen.has(g) !== (g === group)).join(',') || undefined
}
