import { apiBase, path } from './client'

/** What a connection needs of a WebSocket. */
export interface Socket {
  onopen: (() => void) | null
  onmessage: ((event: { data: unknown }) => void) | null
  onclose: ((event: { code: number }) => void) | null
  send(text: string): void
  close(): void
}

export interface ConnectionOptions {
  open(): Socket
  /** The least and the longest time before another try, in milliseconds. */
  backoff: readonly [least: number, longest: number]
  /** So many milliseconds without a message are a broken connection; without it silence is no sign. */
  silence?: number
  onOpen?(): void
  onMessage(text: string): void
  /** The connection broke; answers when to try again: by the backoff, after so many milliseconds, or never. */
  onBroken(code: number): 'again' | 'never' | number
}

/** A connection that comes back by itself. */
export interface Connection {
  /** Begins anew at once. */
  renew(): void
  send(text: string): void
  close(): void
}

/** The code of a connection that ended without one. */
const closeAbnormal = 1006

/**
 * Keeps a WebSocket open until it is closed here or the owner wants it no more. A page that
 * is seen again, or has its network back, does not wait for its next try.
 */
export function connection(o: ConnectionOptions): Connection {
  let socket: Socket | undefined
  let over = false
  let failures = 0
  let retry: ReturnType<typeof setTimeout> | undefined
  let silence: ReturnType<typeof setTimeout> | undefined

  function dial(): void {
    const s = o.open()
    socket = s
    heard()
    s.onopen = () => o.onOpen?.()
    s.onmessage = (event) => {
      if (socket !== s) return
      heard()
      failures = 0
      o.onMessage(String(event.data))
    }
    s.onclose = ({ code }) => {
      if (socket === s) broken(code)
    }
  }

  function broken(code: number): void {
    drop()
    const when = o.onBroken(code)
    if (when === 'never') over = true
    if (!over) retry = setTimeout(dial, when === 'again' ? wait(o.backoff, failures++) : Number(when))
  }

  function heard(): void {
    clearTimeout(silence)
    if (o.silence) silence = setTimeout(() => broken(closeAbnormal), o.silence)
  }

  function drop(): void {
    clearTimeout(retry)
    clearTimeout(silence)
    const s = socket
    socket = undefined
    s?.close()
  }

  function wake(): void {
    if (over || socket || globalThis.document?.hidden) return
    clearTimeout(retry)
    dial()
  }

  dial()
  globalThis.window?.addEventListener('online', wake)
  globalThis.document?.addEventListener('visibilitychange', wake)
  return {
    renew() {
      drop()
      if (!over) retry = setTimeout(dial)
    },
    send: (text) => socket?.send(text),
    close() {
      over = true
      globalThis.window?.removeEventListener('online', wake)
      globalThis.document?.removeEventListener('visibilitychange', wake)
      drop()
    },
  }
}

/** A connection to an address of the API. */
export function openSocket(address: string): Socket {
  return new WebSocket(address) as unknown as Socket
}

/** The address of a stream of the API. */
export function streamOf(...parts: string[]): string {
  const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:'
  return `${scheme}//${location.host}${apiBase}${path(...parts)}`
}

/** Twice as long each time, and by chance up to half of it less, so that not all come back together. */
function wait([least, longest]: ConnectionOptions['backoff'], failures: number): number {
  const ceiling = Math.min(longest, least * 2 ** failures)
  return ceiling / 2 + Math.random() * (ceiling / 2)
}
