import type { RunRecord } from '~/api/records'
import type { RunView } from '~/api/types'
import { RunStore } from '~/run/store'

/** Shows a history as it was at any moment of it. Times are in ms. */
export class Player {
  readonly store: RunStore
  readonly #empty: RunView
  readonly #records: readonly RunRecord[]
  #shown = 0

  /** The view gives what does not change; the records are in order. */
  constructor(view: RunView, records: readonly RunRecord[]) {
    const { ended_at: _ended, outputs: _outputs, ...rest } = view
    this.#empty = { ...rest, state: 'created', seq: 0, nodes: {}, taken: [], variables: {} }
    this.#records = records
    // Moments come from the player, not from a stream: it says itself when they are complete.
    this.store = new RunStore(this.#empty, () => () => undefined)
  }

  /** Shows the run at a moment, and answers how many records it has by then. */
  show(time: number): number {
    const until = this.#until(time)
    if (until < this.#shown) {
      this.store.apply({ type: 'snapshot', seq: 0, run: this.#empty })
      this.#shown = 0
    }
    if (until > this.#shown) {
      this.store.apply({ type: 'records', records: this.#records.slice(this.#shown, until) })
    }
    if (until !== this.#shown || until === 0) this.store.flush()
    this.#shown = until
    return until
  }

  /** The first record after the time, by bisection. */
  #until(time: number): number {
    let low = 0
    let high = this.#records.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (Date.parse(this.#records[middle]?.at ?? '') <= time) low = middle + 1
      else high = middle
    }
    return low
  }
}
