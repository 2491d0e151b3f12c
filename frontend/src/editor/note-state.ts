import { create } from 'zustand'

interface NoteState {
  /** The note that is being written on the drawing itself. */
  editing: string | null
  edit(id: string | null): void
}

/** Which note is open for writing: the one thing about notes that is not in the document. */
export const useNoteState = create<NoteState>((set) => ({
  editing: null,
  edit: (editing) => set({ editing }),
}))
