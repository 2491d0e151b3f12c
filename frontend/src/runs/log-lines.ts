import type { LogLine } from '~/api/types'

/** A line of a log; those of the whole run say which node it is of. */
export interface Line extends LogLine {
  node?: string
}

/** The least level that is shown. */
export type Least = 'debug' | 'info' | 'warn' | 'error'

const rank: Record<Least, number> = { debug: 0, info: 1, warn: 2, error: 3 }

/** What of a log is shown, and where the words were found in it. */
export interface Found {
  lines: readonly Line[]
  /** Places in lines, in order. */
  hits: readonly number[]
}

/** Looks for words in a log; with `only`, lines without them are left out. Case does not matter. */
export function look(lines: readonly Line[], words: string, least: Least, only: boolean): Found {
  const q = words.trim().toLowerCase()
  const loud = least === 'debug' ? lines : lines.filter((l) => (rank[l.level] ?? 1) >= rank[least])
  if (q === '') return { lines: loud, hits: [] }
  const has = (l: Line) => l.text.toLowerCase().includes(q) || (l.node?.toLowerCase().includes(q) ?? false)
  if (only) {
    const kept = loud.filter(has)
    return { lines: kept, hits: kept.map((_, i) => i) }
  }
  return { lines: loud, hits: loud.flatMap((l, i) => (has(l) ? [i] : [])) }
}

/** Cuts a text at every place where the words stand: every second part is a find. */
export function parts(text: string, words: string): string[] {
  const q = words.trim().toLowerCase()
  if (q === '') return [text]
  const out: string[] = []
  const low = text.toLowerCase()
  // Some letters change their length with their case: the places would be wrong.
  if (low.length !== text.length) return [text]
  let from = 0
  for (let at = low.indexOf(q); at >= 0; at = low.indexOf(q, from)) {
    out.push(text.slice(from, at), text.slice(at, at + q.length))
    from = at + q.length
  }
  return [...out, text.slice(from)]
}
