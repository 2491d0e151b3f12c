import type { Backup } from '~/doc/backup'

const lockOf = (editor: string) => `culm.editor.${editor}`

/** Names one opened editor, and holds a sign of life under that name until it leaves. */
export function nameEditor(): { name: string; leave(): void } {
  const name = Array.from(crypto.getRandomValues(new Uint8Array(8)), (b) => b.toString(16).padStart(2, '0')).join('')
  const left = new AbortController()
  // The browser gives the lock back when the tab dies, however it dies.
  void navigator.locks
    ?.request(lockOf(name), () => new Promise<void>((done) => left.signal.addEventListener('abort', () => done())))
    .catch(() => undefined)
  return { name, leave: () => left.abort() }
}

/**
 * The backups of editors that are no more. Where the browser does not tell who lives, all
 * of them are: an edit that is taken in twice is the same edit.
 */
export async function orphaned(backups: Backup[]): Promise<Backup[]> {
  if (backups.length === 0 || !navigator.locks) return backups
  try {
    const { held = [] } = await navigator.locks.query()
    const alive = new Set(held.map((lock) => lock.name))
    return backups.filter((b) => !alive.has(lockOf(b.editor)))
  } catch {
    return backups
  }
}
