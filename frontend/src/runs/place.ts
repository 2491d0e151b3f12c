import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { useCallback, useMemo } from 'react'
import { parentOf } from '~/doc/paths'

const route = getRouteApi('/p/$project/runs/$run')

/** Where the reader of a run is. All of it is in the address, so that a link leads others to the same place. */
export interface Place {
  /** The path of the chosen node. */
  node: string | undefined
  /** The subflow that the canvas shows; "" is the run's own flow. */
  scope: string
  /** The tab of the node's panel, and the attempt it tells of. */
  tab: string | undefined
  attempt: string | undefined
  /** The states that the list of nodes is filtered by, with commas between. */
  show: string | undefined
}

export interface Moves {
  /** Chooses a node and shows the flow it is drawn in. */
  choose(node: string | undefined): void
  /** Shows the inside of a subflow, or the run's own flow, there with a node chosen. */
  enter(scope: string, node?: string): void
  turn(to: { tab?: string; attempt?: string | undefined }): void
  filter(show: string | undefined): void
}

/** The place of the reader, and how to move. */
export function usePlace(): [Place, Moves] {
  const search = route.useSearch()
  const navigate = useNavigate()
  const scope = search.in ?? (search.node ? parentOf(search.node) : '')
  const go = useCallback(
    (change: (old: Search) => Search) =>
      void navigate({ to: '.', search: (old: Search) => compact(change(old)), replace: true }),
    [navigate],
  )
  const moves = useMemo<Moves>(
    () => ({
      choose: (node) =>
        go((old) =>
          node
            ? { node, tab: old.tab, show: old.show }
            : { in: old.in ?? (old.node ? parentOf(old.node) : ''), show: old.show },
        ),
      enter: (to, node) => go((old) => (node ? { node, show: old.show } : { in: to, show: old.show })),
      turn: (to) => go((old) => ({ ...old, ...to })),
      filter: (show) => go((old) => ({ ...old, show })),
    }),
    [go],
  )
  const place = useMemo(
    () => ({ node: search.node, scope, tab: search.tab, attempt: search.attempt, show: search.show }),
    [search.node, scope, search.tab, search.attempt, search.show],
  )
  return [place, moves]
}

interface Search {
  node?: string | undefined
  in?: string | undefined
  tab?: string | undefined
  attempt?: string | undefined
  show?: string | undefined
}

/** Leaves out what is not set: the address stays short. */
function compact(search: Search): { [K in keyof Search]?: string } {
  return Object.fromEntries(Object.entries(search).filter(([, v]) => v)) as { [K in keyof Search]?: string }
}
