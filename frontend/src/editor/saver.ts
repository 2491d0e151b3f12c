import { createStore, type StoreApi } from 'zustand/vanilla'
import { ApiError } from '~/api/client'
import type { Flow, FlowDetail } from '~/api/types'
import { type Merged, merge } from '~/doc/merge'
import { type DocStore, isDirty } from '~/doc/store'

/** How it stands with the edits of this page. */
export type SaveState =
  /** The server has everything. */
  | { kind: 'saved' }
  /** There are edits, which are saved in a moment. */
  | { kind: 'edited' }
  | { kind: 'saving' }
  /** The server does not answer; edits are kept in this browser, and it is asked again. */
  | { kind: 'offline'; error: ApiError }
  /** The server refuses this document; the next edit is tried again. */
  | { kind: 'refused'; error: ApiError }
  /** Somebody deleted the flow. */
  | { kind: 'gone' }
  /** Somebody else changed the same things: a person decides. */
  | { kind: 'conflict'; theirs: FlowDetail }

/** What the saver works with; tests put theirs in. */
export interface Ports {
  put(document: Flow, revision: number): Promise<FlowDetail>
  fetch(): Promise<FlowDetail>
  /** Writes the edits into this browser; forget removes them again. */
  keep(): void
  forget(): void
  /** Calls back after a time; answers how to call it off. */
  after(ms: number, work: () => void): () => void
  /** Edits of somebody else came into the document. */
  taken(merged: Merged, theirs: FlowDetail): void
}

export interface Saver {
  state: StoreApi<SaveState>
  /** Saves what there is now; answers whether the server has everything. */
  flush(): Promise<boolean>
  /** Somebody else saved: takes it in if it is newer than what is known. */
  pull(revision: number): void
  /** The server may answer again. */
  retry(): void
  /** A person has decided what clashed; the result is saved. */
  settle(theirs: FlowDetail, merged: Merged): Promise<boolean>
  /** Keeps what is not saved, at once. */
  keep(): void
  /** Begins to look after the document; answers how to stop. */
  start(): () => void
}

const saveAfterMs = 2000
const keepEveryMs = 200
const retryAfterMs = [1000, 2000, 4000, 8000, 15_000, 30_000]
/** More often than this in a row somebody else is faster: then it waits a moment. */
const turnsMax = 5

/** Saves a document as it is edited, and never loses an edit on the way. */
export function createSaver(store: DocStore, ports: Ports): Saver {
  return new Saving(store, ports)
}

class Saving implements Saver {
  readonly state = createStore<SaveState>(() => ({ kind: 'saved' }))
  private saving: Promise<boolean> | undefined
  private pulling: Promise<unknown> | undefined
  private due: (() => void) | undefined
  private keeping: (() => void) | undefined
  private unkept = false
  private failures = 0
  /** The newest revision that is said to be on the server. */
  private heard = 0
  private stopped = true

  constructor(
    private readonly store: DocStore,
    private readonly ports: Ports,
  ) {}

  start(): () => void {
    this.stopped = false
    const off = this.store.subscribe((state, before) => {
      if (state.doc !== before.doc) this.edited()
    })
    if (isDirty(this.store.getState())) {
      this.edited()
      void this.flush()
    }
    return () => {
      off()
      this.keep()
      this.stopped = true
      this.due?.()
      this.keeping?.()
      this.due = undefined
      this.keeping = undefined
    }
  }

  flush(): Promise<boolean> {
    this.due?.()
    this.due = undefined
    if (!this.saving) {
      this.saving = Promise.resolve(this.pulling)
        .then(() => this.work())
        .finally(() => {
          this.saving = undefined
          this.behind()
        })
    }
    return this.saving
  }

  pull(revision: number): void {
    this.heard = Math.max(this.heard, revision)
    this.behind()
  }

  retry(): void {
    if (this.state.getState().kind === 'offline') void this.flush()
  }

  settle(theirs: FlowDetail, merged: Merged): Promise<boolean> {
    this.store.getState().absorb(theirs, merged.document, merged.renamed.size > 0)
    this.set({ kind: 'edited' })
    this.keepNow()
    return this.flush()
  }

  keep(): void {
    if (this.unkept) this.keepNow()
  }

  private set(state: SaveState): void {
    this.state.setState(state, true)
  }

  private edited(): void {
    this.unkept = true
    // The first edit is kept at once, those that follow it closely together.
    if (!this.keeping) {
      this.keepNow()
      this.keeping = this.ports.after(keepEveryMs, () => {
        this.keeping = undefined
        this.keep()
      })
    }
    const { kind } = this.state.getState()
    if (kind === 'conflict' || kind === 'gone' || kind === 'saving') return
    if (kind !== 'offline') {
      this.set({ kind: 'edited' })
      this.later(saveAfterMs)
    }
  }

  /** What is kept in this browser is always what the page holds and the server does not. */
  private keepNow(): void {
    this.unkept = false
    if (isDirty(this.store.getState())) this.ports.keep()
    else this.ports.forget()
  }

  private later(ms: number): void {
    if (this.due || this.stopped) return
    this.due = this.ports.after(ms, () => {
      this.due = undefined
      void this.flush()
    })
  }

  /** Fetches what somebody else saved, unless a save is under way, which will find out. */
  private behind(): void {
    const { kind } = this.state.getState()
    if (this.saving || this.pulling || this.stopped || kind === 'gone') return
    const known = kind === 'conflict' ? this.conflictAt() : this.store.getState().revision
    if (this.heard <= known) return
    this.pulling = this.ports
      .fetch()
      .then((theirs) => {
        this.heard = Math.min(this.heard, theirs.revision)
        return this.takeIn(theirs)
      })
      .then(
        (free) => {
          if (free) this.settled()
          return free
        },
        (error) => this.failed(error),
      )
      .finally(() => {
        this.pulling = undefined
      })
  }

  private conflictAt(): number {
    const state = this.state.getState()
    return state.kind === 'conflict' ? state.theirs.revision : 0
  }

  private async work(): Promise<boolean> {
    for (let turn = 0; turn < turnsMax; turn++) {
      const { doc, revision } = this.store.getState()
      const state = this.state.getState()
      if (state.kind === 'conflict' || state.kind === 'gone') return false
      if (!isDirty(this.store.getState())) return this.settled()
      this.set({ kind: 'saving' })
      try {
        const detail = await this.ports.put(doc, revision)
        this.failures = 0
        this.store.getState().markSaved({ ...detail, document: doc })
        if (this.store.getState().doc !== doc) return this.settled()
      } catch (error) {
        if (!(error instanceof ApiError) || error.status !== 409) return this.failed(error)
        try {
          if (!(await this.takeIn(await this.ports.fetch()))) return false
        } catch (again) {
          return this.failed(again)
        }
      }
    }
    return this.settled()
  }

  /** Merges what somebody else saved; false when a person has to decide. */
  private takeIn(theirs: FlowDetail): boolean {
    const { saved, doc, revision } = this.store.getState()
    if (theirs.revision <= revision) return true
    const merged = merge(saved, doc, theirs.document, 'mine')
    if (merged.clashes.length > 0) {
      this.set({ kind: 'conflict', theirs })
      this.keepNow()
      return false
    }
    this.store.getState().absorb(theirs, merged.document, merged.renamed.size > 0)
    if (this.state.getState().kind === 'conflict') this.set({ kind: 'edited' })
    if (merged.taken > 0) this.ports.taken(merged, theirs)
    return true
  }

  /** Says how it stands after something was done, and goes on with edits made since. */
  private settled(): boolean {
    const clean = !isDirty(this.store.getState())
    this.set({ kind: clean ? 'saved' : 'edited' })
    this.keepNow()
    if (!clean) this.later(saveAfterMs)
    return clean
  }

  private failed(error: unknown): false {
    const known =
      error instanceof ApiError
        ? error
        : new ApiError({ title: 'failed', status: 0, code: 'NETWORK', detail: String(error) })
    this.keepNow()
    if (known.status === 404) this.set({ kind: 'gone' })
    else if (known.status >= 400 && known.status < 500 && known.status !== 408 && known.status !== 429)
      this.set({ kind: 'refused', error: known })
    else {
      this.set({ kind: 'offline', error: known })
      this.later(retryAfterMs[Math.min(this.failures, retryAfterMs.length - 1)] ?? 1000)
      this.failures++
    }
    return false
  }
}
