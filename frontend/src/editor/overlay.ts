import { create } from 'zustand'
import type { Position } from '~/api/types'

/** Where a node that is picked from the list goes: behind a node, into a line, or to a place. */
export interface AddTarget {
  after?: string
  edge?: string
  /** The centre of the new node on the drawing, where a person pointed at it. */
  at?: Position
}

/** What is opened over the canvas; one thing at a time. */
type Overlay =
  | { kind: 'add'; target: AddTarget; screen: Position }
  | { kind: 'find' }
  | { kind: 'connect'; from: string }
  | { kind: 'keys' }
  | { kind: 'file' }
  | { kind: 'updates' }

interface OverlayState {
  open: Overlay | null
  /** What has been typed since it was asked for: its code may still be on the way. The field that gets the focus takes it. */
  early: string
  type(early: string): void
  show(overlay: Overlay): void
  close(): void
}

/** Lists and sheets that open over the editor. */
export const useOverlay = create<OverlayState>((set) => ({
  open: null,
  early: '',
  type: (early) => set({ early }),
  show: (open) => set({ open, early: '' }),
  close: () => set({ open: null, early: '' }),
}))
