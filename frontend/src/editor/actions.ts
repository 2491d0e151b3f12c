import { useMemo, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import type { FlowNode, Position, Problem } from '~/api/types'
import { sayError } from '~/app/notices'
import type { View } from '~/canvas/rf'
import { arrangeAside } from '~/doc/arrange'
import { addNode, connect, freeSpot, freshId, moveTo, nodeIds, refusal, sizeOf } from '~/doc/graph'
import { detached, type Insertion, insertAfter, insertOnEdge } from '~/doc/insert'
import { addNote, moveNotes, noteRect } from '~/doc/notes'
import { type DocStore, useDocStore } from '~/doc/store'
import { useUi } from '~/ui/store'
import { toggleChosen, useChoosing } from './choosing'
import { commitMove, duplicate, placesAfter, removeSelected } from './keys'
import { useNoteState } from './note-state'
import { type AddTarget, useOverlay } from './overlay'
import { type Blueprint, readDrop } from './palette'

type Ref<T> = React.RefObject<T | null>

/** What the canvas and the palette do to the document. */
export function useActions(view: Ref<View>, box: Ref<HTMLDivElement>) {
  const { t } = useTranslation('editor')
  const store = useDocStore()
  const latest = useRef(t)
  latest.current = t
  return useMemo(() => {
    const say = (why: ReturnType<typeof refusal>) => (why ? latest.current(`connect.${why}`) : null)
    const reason = (from: string, to: string) => say(refusal(store.getState().doc, from, to))
    return {
      ...adding(store, view, box),
      ...looking(view),
      select: (next: { nodes: ReadonlySet<string>; edges: ReadonlySet<string> }) => {
        store.getState().seal()
        const [picked] = next.nodes
        // While a scheme is open, the overview picks nodes for it, too.
        if (useChoosing.getState().scheme !== null) return void (picked && toggleChosen(store, picked))
        useUi.getState().select(next.nodes, next.edges)
      },
      move: (moves: ReadonlyMap<string, Position>, by: 'drag' | 'keyboard', edge?: string) =>
        commitMove(store, moves, by, edge),
      connect: (from: string, to: string) => {
        const { doc } = store.getState()
        if (refusal(doc, from, to) === null) store.getState().commit(connect(doc, from, to))
      },
      isAllowed: (from: string, to: string) => refusal(store.getState().doc, from, to) === null,
      reason,
      refused: (from: string, to: string) => {
        const why = reason(from, to)
        if (why) sayError(why)
      },
      tool: (tool: 'duplicate' | 'detach' | 'remove', node: string) => {
        useUi.getState().select([node])
        if (tool === 'duplicate') duplicate(store)
        else if (tool === 'remove') removeSelected(store)
        else {
          const command = detached(store.getState().doc, new Set([node]))
          if (command) store.getState().commit(command)
        }
      },
      layout: async () => {
        const positions = await arrangeAside(store.getState().doc)
        commitMove(store, positions, 'layout')
        view.current?.fit()
      },
      toFlow: (screen: Position) => view.current?.toFlow(screen),
      carried: (way: Position) => {
        const { doc, commit } = store.getState()
        const notes = moveNotes(doc, useUi.getState().selection.notes ?? new Set(), way)
        commit({ op: 'batch', commands: [moveTo(placesAfter(store, way)), notes] })
      },
      /** The selected nodes go along with a note that is dragged; null ends it. */
      carry: (way: Position | null) => view.current?.drag(way ? placesAfter(store, way) : new Map()),
      setView: (next: View) => {
        view.current = next
      },
    }
  }, [store, view, box])
}

/** What the canvas and the palette can do. */
export type Actions = ReturnType<typeof useActions>

/** The ways in which nodes come onto the canvas. */
function adding(store: DocStore, view: Ref<View>, box: Ref<HTMLDivElement>) {
  const shown = (id: string) => {
    useUi.getState().select([id])
    const node = store.getState().doc.nodes.find((n) => n.id === id)
    if (node?.position) view.current?.reveal({ ...node.position, ...sizeOf(node) })
  }
  const put = (blueprint: Blueprint, centre: Position) => {
    const { doc } = store.getState()
    if (blueprint.type === 'start' && doc.nodes.some((n) => n.type === 'start')) return
    const { width, height } = sizeOf(blueprint)
    const position = freeSpot(doc, { x: centre.x - width / 2, y: centre.y - height / 2 })
    const node: FlowNode = { id: freshId(nodeIds(doc), blueprint.action ?? blueprint.type), ...blueprint, position }
    store.getState().commit(addNode(doc, node))
    shown(node.id)
  }
  const inserted = (made: Insertion | null): boolean => {
    if (!made) return false
    store.getState().commit(made.command)
    shown(made.id)
    return true
  }
  const middle = (): Position => {
    const rect = box.current?.getBoundingClientRect()
    const screen = {
      x: (rect?.left ?? 0) + (rect?.width ?? 0) / 2,
      y: (rect?.top ?? 0) + (rect?.height ?? 0) / 2,
    }
    return view.current?.toFlow(screen) ?? { x: 0, y: 0 }
  }
  return {
    add: (blueprint: Blueprint) => put(blueprint, lastPlace(store.getState().doc.nodes) ?? middle()),
    addTo: (blueprint: Blueprint, target: AddTarget) => {
      const { doc } = store.getState()
      if (target.edge) inserted(insertOnEdge(doc, target.edge, blueprint))
      else if (target.after) inserted(insertAfter(doc, target.after, blueprint, target.at))
      else put(blueprint, target.at ?? middle())
      focusNode([...useUi.getState().selection.nodes].at(-1))
    },
    /** An empty note near the middle of what is shown, open for writing. */
    addNote: () => {
      const { command, item } = addNote(store.getState().doc, middle())
      store.getState().commit(command)
      view.current?.reveal(noteRect(item))
      useUi.getState().select([], [], [item.id])
      useNoteState.getState().edit(item.id)
    },
    addFrame: () => {
      const { doc } = store.getState()
      const items = [
        { index: 0, item: { id: 'start', type: 'start', position: { x: 0, y: 0 } } as FlowNode },
        { index: 1, item: { id: 'end', type: 'end', position: { x: 480, y: 0 } } as FlowNode },
      ]
      if (doc.nodes.length === 0) store.getState().commit({ op: 'insert', list: 'nodes', items })
    },
    drop: (data: DataTransfer, at: Position, edge?: string) => {
      const blueprint = readDrop(data)
      if (!blueprint) return
      if (!edge || !inserted(insertOnEdge(store.getState().doc, edge, blueprint, at))) put(blueprint, at)
    },
    /** A line was let go where nothing is: what should stand there? */
    loose: (from: string, at: Position, screen: Position) =>
      useOverlay.getState().show({ kind: 'add', target: { after: from, at }, screen }),
    ask: (target: AddTarget, screen: Position) => useOverlay.getState().show({ kind: 'add', target, screen }),
    /** The same by the keyboard: behind what is selected, or into it. */
    askHere: () => {
      const { nodes, edges } = useUi.getState().selection
      const [after, edge] = [[...nodes].at(-1), [...edges].at(-1)]
      const element = document.querySelector(`[data-id="${CSS.escape(after ?? edge ?? '')}"]`)
      const rect = (element ?? box.current)?.getBoundingClientRect()
      const screen = element
        ? { x: (rect?.right ?? 0) + 12, y: rect?.top ?? 0 }
        : { x: (rect?.left ?? 0) + (rect?.width ?? 0) / 2 - 170, y: (rect?.top ?? 0) + 80 }
      const isEnd = store.getState().doc.nodes.some((n) => n.id === after && n.type === 'end')
      const target = { ...(after && !isEnd ? { after } : {}), ...(edge ? { edge } : {}) }
      useOverlay.getState().show({ kind: 'add', target, screen })
    },
  }
}

/** The ways to a place of the drawing. */
function looking(view: Ref<View>) {
  return {
    centre: (id: string) => view.current?.centre(id),
    goTo: (id: string) => {
      useUi.getState().select([id])
      view.current?.centre(id)
      focusNode(id)
    },
    jump: (problem: Problem) => {
      const ui = useUi.getState()
      if (problem.node) {
        ui.select([problem.node])
        view.current?.centre(problem.node)
        if (problem.field) ui.focusField(problem.field)
      } else if (problem.edge) {
        ui.select([], [problem.edge])
        ui.focusField(problem.field ?? '/condition')
      } else if (problem.variable) {
        ui.openDrawer('variables')
        ui.focusField(`variable:${problem.variable}`)
      } else if (problem.field?.startsWith('/schemes')) ui.openDrawer('schemes')
      else ui.openDrawer('flow')
    },
  }
}

/** Gives the keyboard to a node, once it is drawn: the next key goes on from there. */
function focusNode(id: string | undefined): void {
  if (id === undefined) return
  requestAnimationFrame(() =>
    requestAnimationFrame(() =>
      document.querySelector<HTMLElement>(`.react-flow__node[data-id="${CSS.escape(id)}"]`)?.focus(),
    ),
  )
}

/** Right of the selected node, or of the last one: where the next node is expected. */
function lastPlace(nodes: readonly FlowNode[]): Position | null {
  const chosen = [...useUi.getState().selection.nodes].at(-1)
  const node = nodes.find((n) => n.id === chosen) ?? nodes.at(-1)
  if (!node?.position) return null
  const { width, height } = sizeOf(node)
  return { x: node.position.x + width + 72 + 108, y: node.position.y + height / 2 }
}
