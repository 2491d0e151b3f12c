import type { Flow, Scheme } from '~/api/types'
import type { Command } from './commands'

/** A scheme with only those of its left-out nodes that are kept; itself when that is all. */
export function leavingOut(scheme: Scheme, keep: (id: string) => boolean): Scheme {
  const { without, ...rest } = scheme
  if (!without || without.every(keep)) return scheme
  const left = without.filter(keep)
  return left.length > 0 ? { ...rest, without: left } : rest
}

/** The commands that make all schemes forget nodes: those that go, or that always run from now on. */
export function forgetInSchemes(doc: Flow, nodes: ReadonlySet<string>): Command[] {
  return (doc.schemes ?? []).flatMap((s): Command[] => {
    const next = leavingOut(s, (id) => !nodes.has(id))
    return next === s ? [] : [{ op: 'set', list: 'schemes', key: s.id, patch: { without: next.without } }]
  })
}
