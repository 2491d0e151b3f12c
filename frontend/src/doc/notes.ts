import type { Flow, Position, StickyNote } from '~/api/types'
import type { Command } from './commands'
import { freshId, grid, snap } from './graph'

/** The size of a new note, in pixels of the drawing. */
export const noteSize = { w: 208, h: 120 }

/** No note is drawn smaller than this, nor larger than the server takes. */
const smallest = { w: 80, h: 48 }
const largest = 10_000

/** How much a note may say, in characters. */
export const noteTextMax = 4000

export const noteColours = ['', 'blue', 'green', 'pink', 'grey'] as const

/** Puts an empty note on the drawing, with its middle at a place. */
export function addNote(doc: Flow, centre: Position): { command: Command; id: string } {
  const notes = doc.notes ?? []
  const id = freshId(new Set(notes.map((n) => n.id)), 'note')
  let at = snap({ x: centre.x - noteSize.w / 2, y: centre.y - noteSize.h / 2 })
  // Notes that are made one after the other do not cover each other.
  while (notes.some((n) => Math.abs(n.x - at.x) < 24 && Math.abs(n.y - at.y) < 24)) at = { x: at.x + 24, y: at.y + 24 }
  const item: StickyNote = { id, ...at, ...noteSize }
  return { id, command: { op: 'insert', list: 'notes', items: [{ index: notes.length, item }] } }
}

/** Moves notes by a way on the grid. */
export function moveNotes(doc: Flow, ids: ReadonlySet<string>, by: Position): Command {
  return {
    op: 'batch',
    commands: (doc.notes ?? [])
      .filter((n) => ids.has(n.id))
      .map((n) => ({ op: 'set', list: 'notes', key: n.id, patch: snap({ x: n.x + by.x, y: n.y + by.y }) })),
  }
}

/** Writes the text of a note. */
export function setNoteText(id: string, text: string): Command {
  return { op: 'set', list: 'notes', key: id, patch: { text: text || undefined } }
}

/** The gesture of writing on a note: what is typed in one go is one step of undo. */
export function noteGesture(id: string): string {
  return `note:${id}:text`
}

/** A size that a note can have, on the grid. */
export function noteSizeFrom(w: number, h: number): { w: number; h: number } {
  const side = (value: number, least: number) => Math.min(largest, Math.max(least, Math.round(value / grid) * grid))
  return { w: side(w, smallest.w), h: side(h, smallest.h) }
}
