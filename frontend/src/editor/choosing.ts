import { create } from 'zustand'
import { setLeftOut } from '~/doc/schemes'
import type { DocStore } from '~/doc/store'

interface Choosing {
  /** The scheme whose nodes are chosen on the drawing. */
  scheme: string | null
  choose(scheme: string | null): void
}

/** While a scheme is open, a click on an optional node says whether it runs. */
export const useChoosing = create<Choosing>((set) => ({
  scheme: null,
  choose: (scheme) => set({ scheme }),
}))

/** Turns a node of the open scheme on or off; false where none is open, or the node always runs. */
export function toggleChosen(store: DocStore, node: string): boolean {
  const { doc, commit } = store.getState()
  const scheme = doc.schemes?.find((s) => s.id === useChoosing.getState().scheme)
  if (!scheme || !doc.nodes.some((n) => n.id === node && n.optional)) return false
  const out = new Set(scheme.without)
  if (!out.delete(node)) out.add(node)
  commit(setLeftOut(doc, scheme.id, out))
  return true
}
