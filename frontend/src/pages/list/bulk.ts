/** What became of one of several things. */
export type Outcome = { state: 'waiting' | 'working' | 'done' | 'refused'; text?: string }

export interface Errand<T> {
  items: readonly T[]
  /** Does it to one; the text says what was done, if there is more to say. */
  act(item: T): Promise<string | undefined>
  /** How an error reads. */
  say(error: unknown): string
  onChange(index: number, outcome: Outcome): void
  /** Ends it before the next item; what has begun is waited for. */
  stopped(): boolean
}

/** How many items are worked on at a time. */
export const atOnce = 4

/** Does the same to several things, and tells of each how it went: one that is refused stops no other. */
export async function runErrand<T>({ items, act, say, onChange, stopped }: Errand<T>): Promise<void> {
  let next = 0
  const work = async () => {
    while (next < items.length && !stopped()) {
      const index = next++
      const item = items[index] as T
      onChange(index, { state: 'working' })
      try {
        onChange(index, { state: 'done', text: await act(item) })
      } catch (error) {
        onChange(index, { state: 'refused', text: say(error) })
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, work))
}
