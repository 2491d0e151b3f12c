import type { Flow } from '~/api/types'

/** A document that was edited and not saved when the tab went away. */
export interface Backup {
  revision: number
  document: Flow
  at: string
}

const keyOf = (project: string, flow: string) => `culm.backup.${project}.${flow}`

/** Keeps the unsaved document in this browser; a full storage is no error. */
export function writeBackup(project: string, flow: string, backup: Backup): void {
  try {
    localStorage.setItem(keyOf(project, flow), JSON.stringify(backup))
  } catch {
    // The guard on leaving the page still protects the edits.
  }
}

export function readBackup(project: string, flow: string): Backup | null {
  try {
    const text = localStorage.getItem(keyOf(project, flow))
    const backup = text ? (JSON.parse(text) as Backup) : null
    return backup && Array.isArray(backup.document?.nodes) ? backup : null
  } catch {
    return null
  }
}

export function clearBackup(project: string, flow: string): void {
  try {
    localStorage.removeItem(keyOf(project, flow))
  } catch {
    // A storage that cannot be written holds nothing to clear.
  }
}
