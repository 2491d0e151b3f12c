import { create } from 'zustand'
import type { Link, Member } from './room'

interface Others {
  link: Link
  /** Who else has the flow open, in the order in which they came. */
  members: readonly Member[]
}

/** Who else has the flow open that this page edits. */
export const useOthers = create<Others>(() => ({ link: 'away', members: [] }))
