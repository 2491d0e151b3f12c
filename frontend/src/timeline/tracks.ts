import type { RunRecord } from '~/api/records'
import type { NodeState } from '~/api/types'

/** A time that a node spent in one state; `to` is missing while it is still in it. Times are in ms. */
export interface Span {
  state: NodeState
  from: number
  to?: number
  attempt: number
}

/** What happened to one node, in order. */
export interface Track {
  path: string
  spans: Span[]
  /** The state of now. */
  state: NodeState
  attempts: number
}

/** States that end a try and last no time of their own. */
const instant: ReadonlySet<NodeState> = new Set(['idle', 'succeeded', 'skipped', 'cancelled', 'rolled_back'])

/** Makes tracks of the records of a run, as they come. */
export class TrackBook {
  readonly #tracks = new Map<string, Track>()
  #seq = 0

  /** The last record that was taken in. */
  get seq(): number {
    return this.#seq
  }

  /** The tracks, in the order in which the nodes were reached. */
  get tracks(): Track[] {
    return [...this.#tracks.values()]
  }

  /** Takes in records; those that were taken in before are passed over. */
  add(records: readonly RunRecord[]): void {
    for (const record of records) {
      if (record.seq <= this.#seq) continue
      this.#seq = record.seq
      if (record.kind !== 'node.state' || !record.node) continue
      this.#change(record.node, Date.parse(record.at), record.data.to, record.data.attempt)
    }
  }

  #change(path: string, at: number, to: NodeState | '', attempt: number | undefined): void {
    let track = this.#tracks.get(path)
    const open = track?.spans.at(-1)
    // Clocks are set back at times: no span ends before it begins.
    const when = Math.max(at, open?.from ?? at)
    if (open && open.to === undefined) open.to = when
    if (!track) {
      track = { path, spans: [], state: 'idle', attempts: 0 }
      this.#tracks.set(path, track)
    }
    track.state = to || 'idle'
    track.attempts = Math.max(track.attempts, attempt ?? 0)
    if (to && !instant.has(to)) {
      track.spans.push({ state: to, from: when, attempt: attempt ?? open?.attempt ?? 1 })
    } else if (to && (!open || open.to !== when)) {
      track.spans.push({ state: to, from: when, to: when, attempt: attempt ?? 1 })
    }
  }
}
