import type { QueryClient } from '@tanstack/react-query'
import { connection, openSocket, type Socket, streamOf } from '~/api/connection'

/** What the server names: lists of a project that are not what they were. */
type What = 'attention' | 'flows' | 'runs'

/** What must be asked for again when a list changed; the list of flows shows the last run of each. */
const keys: Record<What, readonly string[]> = {
  attention: ['attention'],
  flows: ['flows'],
  runs: ['runs', 'flows'],
}

const closeNoSuchProject = 4404
const backoffMs = [500, 15_000] as const
/** The server sends at least a ping every 15 s; three times that is silence. */
const silenceMaxMs = 45_000
/** While the server cannot tell what changed, everything is asked for so often. */
const blindMs = 10_000

interface Options {
  /** Asks again for what is shown of these. */
  onChange(keys: ReadonlySet<string>): void
  open(): Socket
  hidden?(): boolean
}

/**
 * Hears what changes in a project, and says so once to those who look: what changes while the
 * page is hidden is asked for when it is seen again. Answers how to stop.
 */
export function hear({ onChange, open, hidden = () => document.hidden }: Options): () => void {
  const missed = new Set<string>()
  let blind: ReturnType<typeof setInterval> | undefined

  function changed(what: readonly string[]): void {
    for (const w of what) for (const key of keys[w as What] ?? []) missed.add(key)
    if (missed.size === 0 || hidden()) return
    onChange(new Set(missed))
    missed.clear()
  }

  function seeing(): void {
    clearInterval(blind)
    blind = undefined
  }

  const seen = () => changed([])
  const stream = connection({
    open,
    backoff: backoffMs,
    silence: silenceMaxMs,
    onMessage: (text) => {
      seeing()
      changed((JSON.parse(text) as { what?: string[] }).what ?? [])
    },
    onBroken: (code) => {
      if (code === closeNoSuchProject) {
        seeing()
        return 'never'
      }
      blind ??= setInterval(() => changed(Object.keys(keys)), blindMs)
      return 'again'
    },
  })
  globalThis.document?.addEventListener('visibilitychange', seen)
  return () => {
    globalThis.document?.removeEventListener('visibilitychange', seen)
    seeing()
    stream.close()
  }
}

/** How long a list rests after it was asked for, at least; one that took longer rests that long. */
const restMs = 2000

/**
 * Asks for the shown lists again: each kind once at a time, and what changes meanwhile once more after
 * that, so that a slow server is asked less often and the last change is never missed.
 */
export function refresher(client: QueryClient, project: string): (keys: ReadonlySet<string>) => void {
  const busy = new Map<string, { again: boolean }>()
  async function ask(key: string): Promise<void> {
    const mine = busy.get(key)
    if (mine) {
      mine.again = true
      return
    }
    const state = { again: false }
    busy.set(key, state)
    const begin = performance.now()
    await client.invalidateQueries({ queryKey: [key, project], predicate: (q) => q.meta?.live === true })
    setTimeout(
      () => {
        busy.delete(key)
        if (state.again) void ask(key)
      },
      Math.max(restMs, performance.now() - begin),
    )
  }
  return (changed) => {
    for (const key of changed) void ask(key)
  }
}

/** Keeps the lists of a project that are shown as they are on the server: those whose query is marked live. */
export function keepFresh(client: QueryClient, project: string): () => void {
  return hear({
    onChange: refresher(client, project),
    open: () => openSocket(streamOf('projects', project, 'changes')),
  })
}
