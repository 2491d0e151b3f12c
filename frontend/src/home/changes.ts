import type { QueryClient } from '@tanstack/react-query'
import { connection, openSocket, type Socket, streamOf } from '~/api/connection'
import { answers } from '~/app/lazy'

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
  /** The stream is there, or broke. Asking is left out while `away` says that nothing answers. */
  onLink?(up: boolean): void
  away?(): boolean
}

/**
 * Hears what changes in a project, and says so once to those who look: what changes while the
 * page is hidden is asked for when it is seen again. Answers how to stop.
 */
export function hear(options: Options): () => void {
  const { onChange, open, hidden = () => document.hidden, onLink, away } = options
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
    onOpen: () => onLink?.(true),
    onMessage: (text) => {
      seeing()
      changed((JSON.parse(text) as { what?: string[] }).what ?? [])
    },
    onBroken: (code) => {
      if (code === closeNoSuchProject) {
        seeing()
        return 'never'
      }
      onLink?.(false)
      blind ??= setInterval(() => !away?.() && changed(Object.keys(keys)), blindMs)
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

/** How soon after a break the server is asked whether it is there, and how often while it is not, in ms. */
const firstMs = 700
const againMs = 2000

interface WatchOptions {
  /** Whether the server is there at all. */
  ask(): Promise<boolean>
  onAway(away: boolean): void
}

/**
 * Tells a server that is away from a stream that is broken: a proxy may let no stream through, and a server that
 * starts anew is back before anybody noticed.
 */
export function watch({ ask, onAway }: WatchOptions) {
  let away = false
  let asking: ReturnType<typeof setTimeout> | undefined
  // An answer to an older question says nothing any more.
  let question = 0

  function tell(now: boolean): void {
    if (now === away) return
    away = now
    onAway(now)
  }

  async function probe(mine: number): Promise<void> {
    const there = await ask()
    if (mine !== question) return
    asking = there ? undefined : setTimeout(probe, againMs, mine)
    tell(!there)
  }

  function up(): void {
    clearTimeout(asking)
    asking = undefined
    question++
    tell(false)
  }

  return {
    away: () => away,
    /** The stream is there, or broke. */
    link(there: boolean): void {
      if (there) up()
      else asking ??= setTimeout(probe, firstMs, question)
    },
    stop: up,
  }
}

/**
 * Keeps the lists of a project that are shown as they are on the server: those whose query is marked live. While the
 * server is away nothing is asked, so that what is shown stays and no list fails; when it is back, all of it is
 * asked for again. Answers how to stop.
 */
export function keepFresh(client: QueryClient, project: string, onAway: (away: boolean) => void): () => void {
  const watched = watch({
    ask: answers,
    onAway: (away) => {
      // To everything on the page it is as if the network were away: queries wait, streams dial when it is back.
      window.dispatchEvent(new Event(away ? 'offline' : 'online'))
      onAway(away)
    },
  })
  const stop = hear({
    onChange: refresher(client, project),
    open: () => openSocket(streamOf('projects', project, 'changes')),
    onLink: watched.link,
    away: watched.away,
  })
  return () => {
    stop()
    watched.stop()
  }
}
