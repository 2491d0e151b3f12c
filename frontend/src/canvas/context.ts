import { createContext, useContext } from 'react'
import type { Plugin } from '~/api/types'

/** What the nodes and edges of a canvas need beside their own data. */
export interface CanvasInfo {
  mode: 'edit' | 'run'
  plugins: readonly Plugin[]
  /** How many problems a node or edge has; told to it alone when it changes. */
  problems: ReadonlyMap<string, 'error' | 'warning'>
  onNodeAction?: (node: string, action: 'retry' | 'skip' | 'confirm') => void
}

export const CanvasContext = createContext<CanvasInfo>({ mode: 'edit', plugins: [], problems: new Map() })

export function useCanvasInfo(): CanvasInfo {
  return useContext(CanvasContext)
}
