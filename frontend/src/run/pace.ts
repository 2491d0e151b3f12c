/** Asks for one call of a function after some time. */
export type Later = (call: () => void, ms: number) => void

export const onTimer: Later = (call, ms) => {
  setTimeout(call, ms)
}

/**
 * Calls a function at once when it has been quiet, and otherwise with the first question after a time has passed since
 * the last call. Whoever asks is drawing just then, and what is called draws with it; a drawing of its own it gets only
 * where nobody asks any more.
 */
export class Paced {
  readonly #call: () => void
  readonly #ms: number
  readonly #later: Later
  #resting = false
  #asked = false
  #turn = 0

  constructor(call: () => void, ms: number, later: Later) {
    this.#call = call
    this.#ms = ms
    this.#later = later
  }

  ask(): void {
    if (this.#resting) this.#asked = true
    else this.now()
  }

  /** Calls the function without regard to when that was last done. */
  now(): void {
    this.#asked = false
    this.#turn++
    this.#call()
    if (this.#resting) return
    this.#resting = true
    this.#later(() => this.#rested(), this.#ms)
  }

  #rested(): void {
    this.#resting = false
    if (!this.#asked) return
    const turn = this.#turn
    this.#later(() => {
      if (this.#turn === turn && this.#asked) this.now()
    }, graceMs)
  }
}

/** For so long the next question is waited for: the server sends changes ten times a second. */
const graceMs = 120
