import { useMemo } from 'react'
import { useDoc } from '~/doc/store'
import { useFlows } from '~/editor/subflows'
import { type Update, updatesOf } from './interface'

/** The subflow nodes that stay behind the latest version of their flow. */
export function useUpdates(): readonly Update[] {
  const doc = useDoc((s) => s.doc)
  const flows = useFlows(doc.nodes.some((n) => n.type === 'subflow' && n.version !== undefined))
  return useMemo(() => updatesOf(doc, new Map(flows.map((f) => [f.id, f.version]))), [doc, flows])
}
