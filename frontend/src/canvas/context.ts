import { type ComponentType, createContext, useContext } from 'react'
import type { Plugin, Position } from '~/api/types'

/** How a thing differs from what it was. */
export type Differs = 'added' | 'removed' | 'changed' | 'moved'

/** What the nodes and edges of a canvas need beside their own data. */
export interface CanvasInfo {
  mode: 'edit' | 'run'
  plugins: readonly Plugin[]
  /** How many problems a node or edge has; told to it alone when it changes. */
  problems: ReadonlyMap<string, 'error' | 'warning'>
  onNodeAction?: (node: string, action: 'retry' | 'skip' | 'confirm') => void
  /** What each node reads and writes, while that is shown. */
  perspective?: ReadonlyMap<string, { reads: readonly string[]; writes: readonly string[] }> | undefined
  /** Drawn over each node: who works on it, or how it differs. It reads what changes from a store of its own. */
  Over?: ComponentType<{ id: string }> | undefined
  /** How what is drawn differs from another document, while two are compared. */
  differs?: { nodes: ReadonlyMap<string, Differs>; edges: ReadonlyMap<string, Differs> }
  /** The variable whose nodes stand out. */
  variable?: string | null
  /** What the editor does from the drawing itself. */
  edit?: {
    /** Opens the list of what can be added, at a place of the window. */
    add(target: { after?: string; edge?: string; at?: Position }, screen: Position): void
    tool(tool: 'duplicate' | 'detach' | 'remove', node: string): void
  }
}

export const CanvasContext = createContext<CanvasInfo>({ mode: 'edit', plugins: [], problems: new Map() })

export function useCanvasInfo(): CanvasInfo {
  return useContext(CanvasContext)
}
