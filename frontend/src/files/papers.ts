import { escaped, fitted, type Pen } from './drawing'

/** A note on the drawing, as the document holds it. */
export interface PictureNote {
  id: string
  text?: string
  x: number
  y: number
  w: number
  h: number
  colour?: string
}

/** Paper, its edge and the ink: the same as on the canvas, which can show one of the two looks only. */
const papers: { [look: string]: { [colour: string]: readonly [string, string, string] } } = {
  light: {
    yellow: ['#fff3b8', '#dcc35a', '#453a0a'],
    blue: ['#dcebff', '#94b9e8', '#10305c'],
    green: ['#d9f2dc', '#8fc79a', '#123d1d'],
    pink: ['#ffe0ec', '#e5a0bd', '#5a1233'],
    grey: ['#e9ebf0', '#b9bec9', '#2b303b'],
  },
  dark: {
    yellow: ['#38310f', '#6e6124', '#f5e9b4'],
    blue: ['#132a45', '#2f5587', '#cfe3ff'],
    green: ['#14301c', '#336845', '#cdeed4'],
    pink: ['#3d1728', '#7c3656', '#ffd6e5'],
    grey: ['#222732', '#454d5e', '#d9dde6'],
  },
}

const lineHeight = 19.5

/** Draws a note: as many lines as its paper has room for. */
export function noteMarkup(note: PictureNote, pen: Pick<Pen, 'look' | 'measure'>): string {
  const table = papers[pen.look] ?? {}
  const [paper, edge, ink] = table[note.colour ?? 'yellow'] ?? table.yellow ?? ['#fff', '#000', '#000']
  const room = Math.max(1, Math.floor((note.h - 20) / lineHeight))
  const all = linesOf(note.text ?? '', note.w - 24, pen)
  const shown = all.slice(0, room)
  if (all.length > room) shown[room - 1] = fitted(`${shown[room - 1]} ${'…'.repeat(2)}`, note.w - 24, pen, 13, 400)
  const lines = shown.map(
    (line, i) => `<tspan x="${note.x + 12}" y="${note.y + 23 + i * lineHeight}">${escaped(line)}</tspan>`,
  )
  return (
    `<rect x="${note.x}" y="${note.y}" width="${note.w}" height="${note.h}" rx="4" fill="${paper}" stroke="${edge}"/>` +
    `<text style="font-size:13px;fill:${ink}">${lines.join('')}</text>`
  )
}

/** A text in lines that fit, broken between words where there are some. */
export function linesOf(text: string, width: number, pen: Pick<Pen, 'measure'>): string[] {
  const fits = (line: string) => pen.measure(line, 13, 400, false) <= width
  return text.split('\n').flatMap((paragraph) => {
    const lines: string[] = []
    let line = ''
    for (const piece of paragraph.match(/[^\s\u2e80-\uffef]+\s*|\s+|[\u2e80-\uffef]\s*/gu) ?? []) {
      for (const part of fits(piece.trimEnd()) ? [piece] : [...piece]) {
        if (line === '' || fits((line + part).trimEnd())) line += part
        else {
          lines.push(line.trimEnd())
          line = part
        }
      }
    }
    return [...lines, line.trimEnd()]
  })
}
