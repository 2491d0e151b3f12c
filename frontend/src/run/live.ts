import { connection, openSocket, type Socket, streamOf } from '~/api/connection'
import type { Frame } from '~/api/records'
import type { RunStore } from './store'

/** How the stream is: what the header shows. */
export type Link = 'connecting' | 'live' | 'reconnecting' | 'closed'

/** What the server says when it closes on purpose. */
const closeNoSuchRun = 4404
const closeBeyondEnd = 4409

const backoffMs = [300, 10_000] as const
/** The server sends at least a ping every 15 s; three times that is silence. */
const silenceMaxMs = 45_000

export interface LiveOptions {
  project: string
  run: string
  store: RunStore
  onLink(link: Link): void
  /** Called when the stream cannot be resumed; the page loads the run anew. */
  onLost(): void
  open?: (url: string) => Socket
}

/**
 * Follows a run: opens the stream after the last record the store has, gives
 * every frame to it, and after a gap or a broken connection asks for what
 * follows. Answers how to stop.
 */
export function follow({ project, run, store, onLink, onLost, open = openSocket }: LiveOptions): () => void {
  onLink('connecting')
  const stream = connection({
    open: () => open(`${streamOf('projects', project, 'runs', run, 'events')}?after=${store.seq}`),
    backoff: backoffMs,
    silence: silenceMaxMs,
    onOpen: () => onLink('live'),
    onMessage: (text) => {
      if (store.apply(JSON.parse(text) as Frame) !== 'gap') return
      onLink('reconnecting')
      stream.renew()
    },
    onBroken: (code) => {
      if (code === closeBeyondEnd) {
        onLost()
        return 'never'
      }
      onLink(code === closeNoSuchRun ? 'closed' : 'reconnecting')
      return code === closeNoSuchRun ? 'never' : 'again'
    },
  })
  return stream.close
}
