import { apiBase, path } from '~/api/client'
import type { Frame } from '~/api/records'
import type { RunStore } from './store'

/** How the stream is: what the header shows. */
export type Link = 'connecting' | 'live' | 'reconnecting' | 'closed'

/** What the server says when it closes on purpose. */
const closeNoSuchRun = 4404
const closeBeyondEnd = 4409

const backoffMinMs = 300
const backoffMaxMs = 10_000
/** The server sends at least a ping every 15 s; three times that is silence. */
const silenceMaxMs = 45_000

export interface Socket {
  onopen: (() => void) | null
  onmessage: ((event: { data: unknown }) => void) | null
  onclose: ((event: { code: number }) => void) | null
  close(): void
}

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
export function follow(options: LiveOptions): () => void {
  const open = options.open ?? ((url: string) => new WebSocket(url) as unknown as Socket)
  let socket: Socket | undefined
  let stopped = false
  let failures = 0
  let retry: ReturnType<typeof setTimeout> | undefined
  let silence: ReturnType<typeof setTimeout> | undefined

  function connect(): void {
    const s = open(streamUrl(options.project, options.run, options.store.seq))
    socket = s
    heard()
    s.onopen = () => options.onLink('live')
    s.onmessage = (event) => {
      heard()
      failures = 0
      const frame = JSON.parse(String(event.data)) as Frame
      if (options.store.apply(frame) === 'gap') again(0)
    }
    s.onclose = (event) => {
      if (stopped || socket !== s) return
      if (event.code === closeNoSuchRun) return end()
      if (event.code === closeBeyondEnd) return options.onLost()
      again(backoff(failures++))
    }
  }

  function again(afterMs: number): void {
    drop()
    if (stopped) return
    options.onLink('reconnecting')
    retry = setTimeout(connect, afterMs)
  }

  function heard(): void {
    clearTimeout(silence)
    silence = setTimeout(() => again(0), silenceMaxMs)
  }

  function drop(): void {
    clearTimeout(retry)
    clearTimeout(silence)
    const s = socket
    socket = undefined
    s?.close()
  }

  function end(): void {
    drop()
    options.onLink('closed')
  }

  function wake(): void {
    if (!document.hidden && !socket && !stopped) {
      clearTimeout(retry)
      connect()
    }
  }

  options.onLink('connecting')
  connect()
  window.addEventListener('online', wake)
  document.addEventListener('visibilitychange', wake)
  return () => {
    stopped = true
    window.removeEventListener('online', wake)
    document.removeEventListener('visibilitychange', wake)
    drop()
  }
}

function backoff(failures: number): number {
  const ceiling = Math.min(backoffMaxMs, backoffMinMs * 2 ** failures)
  return ceiling / 2 + Math.random() * (ceiling / 2)
}

function streamUrl(project: string, run: string, after: number): string {
  const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:'
  return `${scheme}//${location.host}${apiBase}${path('projects', project, 'runs', run, 'events')}?after=${after}`
}
