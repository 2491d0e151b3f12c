import { useMemo } from 'react'
import { create } from 'zustand'
import type { Flow } from '~/api/types'
import { useDoc } from '~/doc/store'
import { usesOf } from '~/doc/uses'

interface PerspectiveState {
  /** Whether every node shows what it reads and writes. */
  on: boolean
  /** The variable whose nodes stand out. */
  variable: string | null
  toggle(): void
  look(variable: string | null): void
}

/** What the drawing shows of variables. */
export const usePerspective = create<PerspectiveState>((set) => ({
  on: false,
  variable: null,
  toggle: () => set((s) => ({ on: !s.on })),
  look: (variable) => set({ variable }),
}))

type Shown = ReadonlyMap<string, { reads: readonly string[]; writes: readonly string[] }>

/** What each node reads and writes, while a person wants to see it; conditions count for the gateway they leave. */
export function useShownPerspective(): { perspective: Shown | undefined; variable: string | null } {
  const doc = useDoc((s) => s.doc)
  const on = usePerspective((s) => s.on)
  const variable = usePerspective((s) => s.variable)
  const wanted = on || variable !== null
  const perspective = useMemo(() => (wanted ? byNode(doc) : undefined), [doc, wanted])
  return { perspective, variable }
}

function byNode(doc: Flow): Shown {
  const sources = new Map(doc.edges.map((e) => [e.id, e.from]))
  const out = new Map<string, { reads: string[]; writes: string[] }>()
  for (const use of usesOf(doc)) {
    const id = use.node ?? (use.edge === undefined ? undefined : sources.get(use.edge))
    if (id === undefined) continue
    const entry = out.get(id) ?? { reads: [], writes: [] }
    if (!entry[use.how].includes(use.variable)) entry[use.how].push(use.variable)
    out.set(id, entry)
  }
  return out
}
