/** Rows beyond the edge that are there already, so that the next one can take the focus. */
const overscan = 8

/** The rows that are drawn: from start up to end. */
export interface Window {
  start: number
  end: number
}

/** Which rows of equal height lie in the part of a list that is seen. */
export function windowOf(top: number, height: number, row: number, count: number): Window {
  const start = Math.max(0, Math.floor(top / row) - overscan)
  const end = Math.min(count, Math.ceil((top + height) / row) + overscan)
  return { start: Math.min(start, Math.max(0, count - 1)), end: Math.max(end, 0) }
}

/** Where to scroll so that a row is seen whole: nowhere when it is. */
export function revealed(index: number, top: number, height: number, row: number): number {
  if (index * row < top) return index * row
  if ((index + 1) * row > top + height) return (index + 1) * row - height
  return top
}
