import type { RunRecord } from '~/api/records'
import type { LogLine } from '~/api/types'
import { type Operation, operationOf } from './operations'
import { type Track, TrackBook } from './tracks'

/** A line that a node logged. */
export interface NodeLine extends LogLine {
  node: string
}

/** Of a run that logs without end the last lines are kept. */
const linesMax = 20_000

/** What the records of a run tell: when its nodes ran, what they logged, and who did what. */
export interface Story {
  tracks: readonly Track[]
  lines: readonly NodeLine[]
  /** Whether earlier lines were left out. */
  cut: boolean
  operations: readonly Operation[]
}

/** Makes the story of a run of its records, as they come. */
export class Book {
  readonly #tracks = new TrackBook()
  readonly #operations: Operation[] = []
  #lines: NodeLine[] = []
  #cut = false

  /** The last record that was taken in. */
  get seq(): number {
    return this.#tracks.seq
  }

  /** What is known now; later records do not change it. */
  get story(): Story {
    return {
      tracks: this.#tracks.tracks,
      lines: [...this.#lines],
      cut: this.#cut,
      operations: [...this.#operations],
    }
  }

  /** Takes in records; those that were taken in before are passed over. */
  add(records: readonly RunRecord[]): void {
    const before = this.seq
    this.#tracks.add(records)
    for (const record of records) {
      if (record.seq <= before) continue
      const operation = operationOf(record)
      if (operation) this.#operations.push(operation)
      if (record.kind === 'node.note' && record.node) this.#log(record.node, record.data.log ?? [])
    }
  }

  #log(node: string, lines: readonly LogLine[]): void {
    for (const line of lines) this.#lines.push({ ...line, node })
    if (this.#lines.length <= linesMax) return
    this.#lines = this.#lines.slice(-linesMax)
    this.#cut = true
  }
}
