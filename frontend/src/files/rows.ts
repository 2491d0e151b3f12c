import { type Rect, sizeOf } from '~/doc/graph'
import { scaleOf } from './pixels'

/** A long drawing cut into rows of one width, one below the other. */
export interface Rows {
  count: number
  /** How wide a row is, and how far each begins behind the one before: what is cut at an edge is whole in the next. */
  width: number
  step: number
  /** The space between rows. */
  gap: number
}

/** Below this a name cannot be read any more. */
const readable = 0.6

/** Twice the widest node and the line to it: what is at an edge is seen with what it is connected to. */
const overlap = 2 * sizeOf({ type: 'task' }).width

const gap = 48

/** How many rows are worth trying: more would be no picture any more. */
const countMax = 200

/**
 * Says how to cut a drawing so that pixels can show it: a flow in one long row becomes a page. Null where it can be
 * read as it is, or where rows would not help.
 */
export function rowsOf({ width, height }: Pick<Rect, 'width' | 'height'>): Rows | null {
  const whole = scaleOf({ width, height })
  if (whole >= readable) return null
  let best: Rows | null = null
  let most = whole
  for (let count = 2; count <= countMax; count++) {
    const rows = { count, ...split(width, count), gap }
    const scale = scaleOf(pageOf(rows, height))
    if (scale > most) [best, most] = [rows, scale]
    if (scale >= 1) break
  }
  // A little larger is not worth the cuts.
  return most > 1.5 * whole ? best : null
}

/** The size of all rows together. */
export function pageOf({ count, width, gap }: Rows, height: number): { width: number; height: number } {
  return { width, height: count * height + (count - 1) * gap }
}

function split(width: number, count: number): { width: number; step: number } {
  const step = Math.ceil((width - overlap) / count)
  return { width: step + overlap, step }
}
