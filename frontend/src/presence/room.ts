import { connection, openSocket, type Socket, streamOf } from '~/api/connection'

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

interface Options {
  project: string
  flow: string
  onRoom(room: Room): void
  onLink(link: Link): void
  open?: (url: string) => Socket
}

/** What the server says when it closes on purpose. */
const closeNoFlow = 4404
const closeFull = 4429

const backoffMs = [500, 30_000] as const
/** A room that was full is asked again this much later. */
const fullAgainMs = 60_000

/**
 * Enters the room of a flow and comes back into it when the connection breaks. Nothing
 * depends on it: who is not in the room finds out at the next save what others did.
 * Answers how to say what one does, and how to leave.
 */
export function enter({ project, flow, onRoom, onLink, open = openSocket }: Options) {
  let ready = false
  let last = ''
  let said = ''

  function tell(): void {
    if (!ready || last === '' || last === said) return
    said = last
    line.send(last)
  }

  const line = connection({
    open: () => open(streamOf('projects', project, 'flows', flow, 'presence')),
    backoff: backoffMs,
    onOpen: () => {
      ready = true
      said = ''
      tell()
    },
    onMessage: (text) => {
      onLink('in')
      onRoom(JSON.parse(text) as Room)
    },
    onBroken: (code) => {
      ready = false
      onLink(code === closeFull ? 'full' : 'away')
      if (code === closeNoFlow) return 'never'
      return code === closeFull ? fullAgainMs : 'again'
    },
  })
  return {
    say(what: Said): void {
      last = JSON.stringify(what)
      tell()
    },
    leave: line.close,
  }
}
