import type { Flow } from '~/api/types'

/** What one editor holds that the server does not have yet. */
export interface Backup {
  project: string
  flow: string
  /** The editor that holds it: two tabs with one flow do not overwrite each other. */
  editor: string
  revision: number
  /** What the edits were made from; absent in what an earlier version of the program left. */
  base?: Flow
  document: Flow
  at: string
}

/** Where edits wait that the server does not have yet. Nothing of it throws: without a store there is none. */
export interface Backups {
  /** Puts a backup in the place of the editor's last one, and of those of other editors that it has taken in. */
  write(backup: Backup, instead?: readonly string[]): void
  clear(project: string, flow: string, editor: string): void
  /** The backups of a flow, the oldest first. */
  read(project: string, flow: string): Promise<Backup[]>
}

const storeName = 'drafts'
const oldKey = (project: string, flow: string) => `culm.backup.${project}.${flow}`

/** Opens the store of this browser; where there is none, edits live in the page only. */
export async function openBackups(): Promise<Backups> {
  try {
    return inDatabase(await open())
  } catch {
    return { write: () => undefined, clear: () => undefined, read: async () => [] }
  }
}

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open('culm', 1)
    request.onupgradeneeded = () => request.result.createObjectStore(storeName)
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
    request.onblocked = () => reject(new Error('the store of this browser is taken'))
  })
}

function inDatabase(db: IDBDatabase): Backups {
  // Another tab with a later version of the program may want to change the store.
  db.onversionchange = () => db.close()
  const change = (work: (store: IDBObjectStore) => void) => {
    try {
      const tx = db.transaction(storeName, 'readwrite')
      work(tx.objectStore(storeName))
      // Said at once: a page that is about to go does not come back to it.
      tx.commit()
    } catch {
      // The store is closed or full; the guard on leaving the page still protects the edits.
    }
  }
  const keyOf = (project: string, flow: string, editor: string) => `${project}/${flow}/${editor}`
  return {
    write: (backup, instead = []) =>
      change((store) => {
        store.put(backup, keyOf(backup.project, backup.flow, backup.editor))
        for (const editor of instead) store.delete(keyOf(backup.project, backup.flow, editor))
        if (instead.includes(oldEditor)) localStorage.removeItem(oldKey(backup.project, backup.flow))
      }),
    clear: (project, flow, editor) =>
      change((store) => {
        store.delete(keyOf(project, flow, editor))
        if (editor === oldEditor) localStorage.removeItem(oldKey(project, flow))
      }),
    read: (project, flow) =>
      new Promise((resolve) => {
        const old = readOld(project, flow)
        const done = (found: unknown[]) =>
          resolve([...old, ...found.filter(isBackup)].sort((a, b) => a.at.localeCompare(b.at)))
        try {
          const range = IDBKeyRange.bound(`${project}/${flow}/`, `${project}/${flow}/\uffff`)
          const request = db.transaction(storeName).objectStore(storeName).getAll(range)
          request.onsuccess = () => done(request.result)
          request.onerror = () => done([])
        } catch {
          done([])
        }
      }),
  }
}

const oldEditor = 'before'

/** What an earlier version of the program kept elsewhere. */
function readOld(project: string, flow: string): Backup[] {
  try {
    const kept = JSON.parse(localStorage.getItem(oldKey(project, flow)) ?? 'null') as Backup | null
    const backup = kept && { ...kept, project, flow, editor: oldEditor }
    return isBackup(backup) ? [backup] : []
  } catch {
    return []
  }
}

function isBackup(value: unknown): value is Backup {
  const backup = value as Backup | null
  return Array.isArray(backup?.document?.nodes) && typeof backup.at === 'string' && typeof backup.editor === 'string'
}
