import type { RunState } from '~/api/types'
import { runEnded } from '~/run/fold'
import type { RunSummaryView } from '~/run/store'

/** What the tab of a run says to those who look at another one. */
export type Mark = 'running' | 'asking' | 'blocked' | 'suspended' | 'succeeded' | 'failed' | 'revoked'

/** How the run stands, in one word: somebody who is waited for comes before everything but an end. */
export function markOf({ run, failed, asking }: Pick<RunSummaryView, 'run' | 'failed' | 'asking'>): Mark {
  if (run.state === 'succeeded' || run.state === 'failed' || run.state === 'revoked') return run.state
  if (failed.length > 0 || run.state === 'blocked') return 'blocked'
  if (asking.length > 0) return 'asking'
  return run.state === 'suspended' ? 'suspended' : 'running'
}

/** A sign before the title, for where there is no room for more; it differs in shape and not only in colour. */
export const signs: Record<Mark, string> = {
  running: '▶',
  asking: '?',
  blocked: '!',
  suspended: '❚❚',
  succeeded: '✓',
  failed: '✕',
  revoked: '■',
}

const drawings: Record<Mark, [colour: string, path: string]> = {
  running: ['#1937bb', 'M12 9v14l11-7z'],
  asking: ['#9a5f14', 'M11 12a5 5 0 1 1 7 4.600c-1.400.700-2 1.400-2 3.400M16 24v.1'],
  blocked: ['#ac0000', 'M16 8v10M16 23.500v.1'],
  suspended: ['#9a5f14', 'M12 10v12M20 10v12'],
  succeeded: ['#006142', 'M9 17l5 5 9-11'],
  failed: ['#ac0000', 'M10 10l12 12M22 10L10 22'],
  revoked: ['#3d434f', 'M11 11h10v10H11z'],
}

/** A small picture of how the run stands, as an address that a page's icon can have. */
export function iconOf(mark: Mark): string {
  const [colour, path] = drawings[mark]
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="${colour}"/><path d="${path}" fill="none" stroke="#fff" stroke-width="4" stroke-linecap="round" stroke-linejoin="round"/></svg>`
  return `data:image/svg+xml,${encodeURIComponent(svg)}`
}

/** Something that a person who is not looking wants to be told. */
export interface News {
  what: 'failed' | 'asking' | 'succeeded' | 'ended'
  /** The node that it is about. */
  node?: string
}

type Seen = Pick<RunSummaryView, 'failed' | 'asking'> & { run: { state: RunState } }

/** What is new between two looks at a run: its end, a failure, a question; nothing for all the rest. */
export function newsOf(before: Seen, after: Seen): News | undefined {
  if (runEnded(after.run.state) && !runEnded(before.run.state)) {
    return { what: after.run.state === 'succeeded' ? 'succeeded' : 'ended' }
  }
  const failed = after.failed.find((id) => !before.failed.includes(id))
  if (failed !== undefined) return { what: 'failed', node: failed }
  const asking = after.asking.find((id) => !before.asking.includes(id))
  return asking === undefined ? undefined : { what: 'asking', node: asking }
}
