import { apiBase, path } from '~/api/client'

/** One open editor, as the server tells of it. */
export interface Member {
  id: string
  actor: string
  name?: string
  /** Tells members without a name apart, from 1. */
  number: number
  since: string
  /** The node that is selected there, and whether its fields are being changed. */
  node?: string
  editing?: boolean
  revision?: number
}

/** Who has the flow open, and how far the flow is. */
export interface Room {
  you: string
  revision: number
  version: number
  members: Member[]
}

/** What an editor tells of itself; all of it each time. */
export interface Said {
  name: string
  node: string
  editing: boolean
  revision: number
}

/** How it stands with the room: it is told, it is not for the moment, or there is no place in it. */
export type Link = 'in' | 'away' | 'full'

export interface Socket {
  onopen: (() => void) | null
  onmessage: ((event: { data: unknown }) => void) | null
  onclose: ((event: { code: number }) => void) | null
  send(text: string): void
  close(): void
}

interface Options {
  project: string
  flow: string
  onRoom(room: Room): void
  onLink(link: Link): void
  open?: (url: string) => Socket
  /** Calls back after a time; answers how to call it off. */
  after?: (ms: number, work: () => void) => () => void
}

/** What the server says when it closes on purpose. */
const closeNoFlow = 4404
const closeFull = 4429

const backoffMinMs = 500
const backoffMaxMs = 30_000
/** A room that was full is asked again this much later. */
const fullAgainMs = 60_000

/**
 * Enters the room of a flow and comes back into it when the connection breaks. Nothing
 * depends on it: who is not in the room finds out at the next save what others did.
 * Answers how to say what one does, how to come back at once, and how to leave.
 */
export function enter(options: Options) {
  const open = options.open ?? ((url: string) => new WebSocket(url) as unknown as Socket)
  const after = options.after ?? later
  let socket: Socket | undefined
  let ready = false
  let left = false
  let failures = 0
  let last = ''
  let said = ''
  let callOff: (() => void) | undefined

  function connect(): void {
    callOff = undefined
    const s = open(addressOf(options.project, options.flow))
    socket = s
    ready = false
    s.onopen = () => {
      ready = true
      said = ''
      tell()
    }
    s.onmessage = (event) => {
      failures = 0
      options.onLink('in')
      options.onRoom(JSON.parse(String(event.data)) as Room)
    }
    s.onclose = ({ code }) => {
      if (left || socket !== s) return
      socket = undefined
      ready = false
      options.onLink(code === closeFull ? 'full' : 'away')
      if (code !== closeNoFlow) callOff = after(code === closeFull ? fullAgainMs : backoff(failures++), connect)
    }
  }

  function tell(): void {
    if (!ready || last === '' || last === said) return
    said = last
    socket?.send(last)
  }

  connect()
  return {
    say(what: Said): void {
      last = JSON.stringify(what)
      tell()
    },
    wake(): void {
      if (socket || left || !callOff) return
      callOff()
      connect()
    },
    leave(): void {
      left = true
      callOff?.()
      socket?.close()
    },
  }
}

function later(ms: number, work: () => void): () => void {
  const timer = setTimeout(work, ms)
  return () => clearTimeout(timer)
}

function backoff(failures: number): number {
  const ceiling = Math.min(backoffMaxMs, backoffMinMs * 2 ** failures)
  return ceiling / 2 + Math.random() * (ceiling / 2)
}

function addressOf(project: string, flow: string): string {
  const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:'
  return `${scheme}//${location.host}${apiBase}${path('projects', project, 'flows', flow, 'presence')}`
}
