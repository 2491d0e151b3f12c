import { create } from 'zustand'

/** What is selected on the canvas. */
export interface Selection {
  nodes: ReadonlySet<string>
  edges: ReadonlySet<string>
  /** Absent where there are none, as on every other page. */
  notes?: ReadonlySet<string>
}

/** Which side panel the editor shows when nothing is selected. */
export type Drawer = 'variables' | 'problems' | 'flow' | 'schemes'

/** A place that a problem points at; panels scroll to it and focus it. */
export interface Focus {
  field: string
  /** Grows, so that the same place can be asked for twice. */
  turn: number
}

interface UiState {
  selection: Selection
  drawer: Drawer
  drawerOpen: boolean
  paletteOpen: boolean
  focus: Focus | null
  select(nodes: Iterable<string>, edges?: Iterable<string>, notes?: Iterable<string>): void
  openDrawer(drawer: Drawer): void
  setDrawerOpen(open: boolean): void
  setPaletteOpen(open: boolean): void
  focusField(field: string): void
  /** Forgets what belongs to the page that is left. */
  reset(): void
}

const none: ReadonlySet<string> = new Set()
const nothingSelected: Selection = { nodes: new Set(), edges: new Set() }

/** Selection, panels and filters: what a person set, and what no document holds. */
export const useUi = create<UiState>((set) => ({
  selection: nothingSelected,
  drawer: 'variables',
  drawerOpen: true,
  paletteOpen: true,
  focus: null,
  select: (nodes, edges = [], notes = []) =>
    set((s) => {
      const next = { nodes: new Set(nodes), edges: new Set(edges), notes: new Set(notes) }
      return same(s.selection.nodes, next.nodes) &&
        same(s.selection.edges, next.edges) &&
        same(s.selection.notes ?? none, next.notes)
        ? s
        : { selection: next, focus: null }
    }),
  openDrawer: (drawer) => set({ drawer, drawerOpen: true, selection: nothingSelected }),
  setDrawerOpen: (drawerOpen) => set({ drawerOpen }),
  setPaletteOpen: (paletteOpen) => set({ paletteOpen }),
  focusField: (field) => set((s) => ({ focus: { field, turn: (s.focus?.turn ?? 0) + 1 } })),
  reset: () => set({ selection: nothingSelected, focus: null, drawer: 'variables' }),
}))

function same(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  if (a.size !== b.size) return false
  for (const x of a) if (!b.has(x)) return false
  return true
}
