import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useMemo, useState } from 'react'
import { queries } from '~/api/queries'
import type { RunRecord } from '~/api/records'
import type { LogLine, NodeDetail, NodeView } from '~/api/types'
import { useRunStore } from '~/run/store'

/** The least time between two questions about a node that changes quickly. */
const refreshMs = 400
/** How often the calls of a node at work are asked for: they are not on the stream. */
const callsMs = 2000

/** A record that holds lines of a log. */
export type Note = Extract<RunRecord, { kind: 'node.note' }>

/**
 * What the server knows of a node: asked again when the stream says that its
 * state changed. Lines of its log come with the stream itself.
 */
export function useNodeDetail(project: string, run: string, node: string, calls: boolean) {
  const options = queries.runNode(project, run, node)
  const client = useQueryClient()
  const store = useRunStore()
  const [notes, setNotes] = useState<readonly Note[]>([])
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    let known = keyOf(store.node(node))
    const ask = () => {
      const now = keyOf(store.node(node))
      if (now === known) return
      known = now
      timer ??= setTimeout(() => {
        timer = undefined
        void client.invalidateQueries({ queryKey: queries.runNode(project, run, node).queryKey })
      }, refreshMs)
    }
    const offNode = store.onNode(node, ask)
    const offRecords = store.onRecords((records) => {
      const fresh = records.filter((r): r is Note => r.kind === 'node.note' && r.node === node && hasLines(r))
      if (fresh.length > 0) setNotes((old) => [...old, ...fresh])
    })
    return () => {
      offNode()
      offRecords()
      clearTimeout(timer)
    }
  }, [client, store, project, run, node])
  const query = useQuery({
    ...options,
    refetchInterval: () => (calls && store.node(node)?.state === 'running' ? callsMs : false),
  })
  const seq = query.data?.seq
  // What an answer tells of is not kept twice.
  useEffect(() => {
    if (seq !== undefined) setNotes((old) => (old.some((n) => n.seq <= seq) ? old.filter((n) => n.seq > seq) : old))
  }, [seq])
  const data = useMemo(() => query.data && withNotes(query.data, notes), [query.data, notes])
  return { data, error: query.error, refetch: query.refetch }
}

function hasLines(note: Note): boolean {
  return (note.data.log?.length ?? 0) > 0
}

/** What of a node's state makes the server's answer old; progress and log lines do not. */
function keyOf(view: NodeView | undefined): string {
  return view
    ? [view.state, view.attempt, view.iteration, view.repeat, view.held, view.due, view.child, view.ended_at].join()
    : ''
}

/** Adds lines that came after an answer to the attempt that logged them. */
export function withNotes(detail: NodeDetail, notes: readonly Note[]): NodeDetail {
  const fresh = notes.filter((n) => n.seq > detail.seq)
  const attempts = detail.attempts ?? []
  if (fresh.length === 0 || attempts.length === 0) return detail
  const lines = new Map<number, LogLine[]>()
  for (const note of fresh) {
    const at = attempts.findLastIndex((a) => a.attempt === note.data.attempt)
    if (at >= 0) lines.set(at, [...(lines.get(at) ?? []), ...(note.data.log ?? [])])
  }
  return {
    ...detail,
    attempts: attempts.map((a, i) => (lines.has(i) ? { ...a, log: [...(a.log ?? []), ...(lines.get(i) ?? [])] } : a)),
  }
}
