import { createContext, useContext } from 'react'
import { createStore, type StoreApi, useStore } from 'zustand'
import type { Flow, FlowDetail, Problem } from '~/api/types'
import { apply, type Command, join, joinInverse } from './commands'
import { merge } from './merge'
import { sameFlow } from './same'

/** One entry of the history: one gesture, however many commands it took. */
interface Entry {
  command: Command
  inverse: Command
  /** Gestures with the same tag that follow each other are one entry. */
  tag: string | undefined
}

export interface DocState {
  doc: Flow
  /** The document as the server has it, and its revision. */
  saved: Flow
  revision: number
  version: number
  publishedRevision: number
  undoable: Entry[]
  redoable: Entry[]
  /** What the last validation found, for the document it saw. */
  problems: Problem[]
  commit(command: Command, tag?: string): void
  /** Ends the running gesture: what follows is a new entry. */
  seal(): void
  undo(): void
  redo(): void
  setProblems(problems: Problem[]): void
  /** Takes over what the server answered to a save; edits made since stay. */
  markSaved(detail: FlowDetail): void
  markPublished(version: number, revision: number): void
  /**
   * Takes over what somebody else saved, and the document that holds their edits and these.
   * Undo goes on to take back the edits of this page, and only those; forget gives it up.
   */
  absorb(theirs: FlowDetail, document: Flow, forget: boolean): void
}

export type DocStore = StoreApi<DocState>

/** More gestures than this are forgotten, oldest first. */
const historyMax = 500

/** Makes the store of one opened flow. */
export function createDocStore(detail: FlowDetail): DocStore {
  return createStore<DocState>((set, get) => ({
    doc: detail.document,
    saved: detail.document,
    revision: detail.revision,
    version: detail.version,
    publishedRevision: detail.published_revision,
    undoable: [],
    redoable: [],
    problems: detail.problems ?? [],
    commit: (command, tag) => set((state) => committed(state, command, tag)),
    seal: () => {
      const last = get().undoable.at(-1)
      if (last?.tag !== undefined) set((s) => ({ undoable: [...s.undoable.slice(0, -1), { ...last, tag: undefined }] }))
    },
    undo: () => set(undone),
    redo: () => set(redone),
    setProblems: (problems) => set({ problems }),
    markSaved: (answer) => set((s) => savedWith(s, answer)),
    markPublished: (version, revision) => set({ version, publishedRevision: revision }),
    absorb: (theirs, document, forget) => set((s) => absorbed(s, theirs, document, forget)),
  }))
}

function committed(state: DocState, command: Command, tag: string | undefined): Partial<DocState> {
  const { doc, inverse } = apply(state.doc, command)
  if (doc === state.doc) return {}
  const last = state.undoable.at(-1)
  const continues = tag !== undefined && last?.tag === tag && state.redoable.length === 0
  const undoable =
    continues && last
      ? [
          ...state.undoable.slice(0, -1),
          { command: join(last.command, command), inverse: joinInverse(last.inverse, inverse), tag },
        ]
      : [...state.undoable, { command, inverse, tag }].slice(-historyMax)
  return { doc, undoable, redoable: [] }
}

function undone(state: DocState): Partial<DocState> {
  const entry = state.undoable.at(-1)
  if (!entry) return {}
  const { doc, inverse } = apply(state.doc, entry.inverse)
  const redo: Entry = { command: inverse, inverse: entry.inverse, tag: undefined }
  return { doc, undoable: state.undoable.slice(0, -1), redoable: [...state.redoable, redo] }
}

function redone(state: DocState): Partial<DocState> {
  const entry = state.redoable.at(-1)
  if (!entry) return {}
  const { doc, inverse } = apply(state.doc, entry.command)
  const undo: Entry = { command: entry.command, inverse, tag: undefined }
  return { doc, redoable: state.redoable.slice(0, -1), undoable: [...state.undoable, undo] }
}

function savedWith(state: DocState, answer: FlowDetail): Partial<DocState> {
  const untouched = state.doc === state.saved || sameFlow(state.doc, answer.document)
  return {
    saved: untouched ? state.doc : answer.document,
    revision: answer.revision,
    version: answer.version,
    publishedRevision: answer.published_revision,
    // Those of an older document say nothing of this one; the next validation does.
    problems: untouched ? (answer.problems ?? []) : state.problems,
  }
}

function absorbed(state: DocState, theirs: FlowDetail, document: Flow, forget: boolean): Partial<DocState> {
  // An entry that replaces the whole document would take back their edits too.
  const along = (command: Command): Command => {
    if (command.op === 'batch') return { ...command, commands: command.commands.map(along) }
    if (command.op !== 'replace') return command
    return { ...command, document: merge(state.saved, command.document, theirs.document, 'mine').document }
  }
  const carried = (entry: Entry): Entry => ({ ...entry, command: along(entry.command), inverse: along(entry.inverse) })
  return {
    doc: document,
    saved: sameFlow(document, theirs.document) ? document : theirs.document,
    revision: theirs.revision,
    version: theirs.version,
    publishedRevision: theirs.published_revision,
    undoable: forget ? [] : state.undoable.map(carried),
    redoable: forget ? [] : state.redoable.map(carried),
  }
}

/** Whether the document holds edits that the server does not have. */
export function isDirty(state: Pick<DocState, 'doc' | 'saved'>): boolean {
  return state.doc !== state.saved && !sameFlow(state.doc, state.saved)
}

export const DocContext = createContext<DocStore | null>(null)

/** The store of the flow that is being edited. */
export function useDocStore(): DocStore {
  const store = useContext(DocContext)
  if (!store) throw new Error('no flow is open here')
  return store
}

/** Reads from the flow that is being edited. */
export function useDoc<T>(select: (state: DocState) => T): T {
  return useStore(useDocStore(), select)
}
