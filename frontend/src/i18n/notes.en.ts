import type { NotesMessages } from './notes.zh'

export const notesEn: NotesMessages = {
  title: 'Sticky note',
  many: '{{n}} sticky notes',
  help: 'For those who edit the flow; runs do not look at it',
  text: 'Text',
  plain: 'Plain text; Enter begins a new line',
  placeholder: 'Write something…',
  colour: 'Colour',
  remove: 'Delete the note',
  label: 'Note: {{text}}',
  empty: 'empty',
  whole: 'Read all of it',
  close: 'Close',
  keys: 'Enter writes, arrows move, Shift with arrows changes the size, Delete removes',
  colours: {
    yellow: 'Yellow',
    blue: 'Blue',
    green: 'Green',
    pink: 'Pink',
    grey: 'Grey',
  },
}
