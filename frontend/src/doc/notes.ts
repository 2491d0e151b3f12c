import type { Flow, FlowNode, Position, StickyNote } from '~/api/types'
import type { Command } from './commands'
import { freshId, grid, type Rect, rectOf, snap } from './graph'

/** The size of a new note, in pixels of the drawing. */
export const noteSize = { w: 208, h: 120 }

/** No note is drawn smaller than this, nor larger than the server takes. */
const smallest = { w: 80, h: 48 }
const largest = 10_000

/** How much a note may say, in characters. */
export const noteTextMax = 4000

export const noteColours = ['', 'blue', 'green', 'pink', 'grey'] as const

/** Where a note is, and how large. */
export function noteRect({ x, y, w, h }: StickyNote): Rect {
  return { x, y, width: w, height: h }
}

/** Puts an empty note on the drawing, with its middle at a place, or near it where that is taken. */
export function addNote(doc: Flow, centre: Position): { command: Command; item: StickyNote } {
  const notes = doc.notes ?? []
  const id = freshId(new Set(notes.map((n) => n.id)), 'note')
  const at = freeSpot(doc, { x: centre.x - noteSize.w / 2, y: centre.y - noteSize.h / 2 })
  const item: StickyNote = { id, ...at, ...noteSize }
  return { item, command: { op: 'insert', list: 'notes', items: [{ index: notes.length, item }] } }
}

/**
 * A place for a new note, near the wanted one. Nodes are drawn over notes and would hide what it says, so it goes above
 * those in its way; and notes that are made one after the other do not cover each other.
 */
function freeSpot(doc: Flow, wanted: Position): Position {
  let at = snap(wanted)
  for (;;) {
    const above = Math.min(...doc.nodes.filter((n) => hides(n, at)).map((n) => n.position?.y ?? 0))
    const taken = doc.notes?.some((n) => Math.abs(n.x - at.x) < 24 && Math.abs(n.y - at.y) < 24)
    if (above < Infinity) at = snap({ x: at.x, y: above - noteSize.h - grid })
    else if (taken) at = { x: at.x + 24, y: at.y + 24 }
    else return at
  }
}

function hides(node: FlowNode, at: Position): boolean {
  if (!node.position) return false
  const { x, y, width, height } = rectOf(node)
  const [dx, dy] = [x - at.x, y - at.y]
  return dx > -width && dx < noteSize.w && dy > -height && dy < noteSize.h
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
