import type { Flow, FlowDetail } from '~/api/types'
import type { Backup } from '~/doc/backup'
import { merge } from '~/doc/merge'
import { sameFlow } from '~/doc/same'

/** Edits that were found in this browser, as the editor goes on with them. */
export interface Recovered {
  /** What the edits were made from, and its revision: the next save merges what came since. */
  base: Flow
  revision: number
  document: Flow
  /** When the last of them was made. */
  at: string
  /** The editors that had them. */
  editors: string[]
}

/**
 * Puts what editors left together, the oldest first. Those that do not clash with what the
 * server has become one document on top of it. The first that does is opened as it was left,
 * so that saving it asks a person; later ones stay where they are until the next time.
 */
export function recover(now: FlowDetail, left: readonly Backup[]): Recovered | null {
  let document = now.document
  const editors: string[] = []
  let at = ''
  for (const backup of left) {
    // Without a base every difference is an edit.
    const base = backup.base ?? now.document
    const merged = merge(base, backup.document, document, 'mine')
    if (merged.clashes.length > 0) {
      if (at !== '') continue
      editors.push(backup.editor)
      return { base, revision: backup.revision, document: backup.document, at: backup.at, editors }
    }
    editors.push(backup.editor)
    if (!sameFlow(merged.document, document)) {
      document = merged.document
      at = backup.at
    }
  }
  return at === '' ? null : { base: now.document, revision: now.revision, document, at, editors }
}
