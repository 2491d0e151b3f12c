/** One state of a flow: its draft, a version, or what a save of the draft left. */
export type Place = { kind: 'draft' } | { kind: 'version'; number: number } | { kind: 'revision'; number: number }

export const draft: Place = { kind: 'draft' }

/** Reads a place as addresses write it: draft, v3, r12. */
export function placeIn(text: string | undefined): Place | undefined {
  if (text === 'draft') return draft
  const [, letter, digits] = text?.match(/^([vr])([1-9]\d{0,8})$/) ?? []
  if (!letter) return undefined
  return { kind: letter === 'v' ? 'version' : 'revision', number: Number(digits) }
}

/** Writes a place as addresses do. */
export function wordOf(place: Place): string {
  return place.kind === 'draft' ? 'draft' : `${place.kind === 'version' ? 'v' : 'r'}${place.number}`
}

/** What a place is compared with when nobody says: the version before it, the save before it. */
export function earlier(place: Place, latest: number, kept: readonly number[]): Place | undefined {
  if (place.kind === 'draft') return latest > 0 ? { kind: 'version', number: latest } : undefined
  if (place.kind === 'version') return place.number > 1 ? { kind: 'version', number: place.number - 1 } : undefined
  const older = kept.filter((n) => n < place.number)
  return older.length > 0 ? { kind: 'revision', number: Math.max(...older) } : undefined
}
