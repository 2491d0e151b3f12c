import type { StickyNote } from '~/api/types'
import { escaped, type Pen } from './drawing'

/** As in the style sheet of notes. */
const font = { size: 13, weight: 400, line: 19.5 }
const inset = { x: 12, y: 10 }

/** Draws a note with as much of its text as its paper holds. */
export function noteMarkup(note: StickyNote, pen: Pen): string {
  const { paper, line, ink } = pen.paperOf(note)
  const { x, y, w, h } = note
  const most = Math.max(1, Math.floor((h - 2 * inset.y) / font.line))
  const lines = wrapped(note.text ?? '', w - 2 * inset.x, most, pen)
  const spans = lines.map(
    (text, i) => `<tspan x="${inset.x}" y="${inset.y + 14 + i * font.line}">${escaped(text)}</tspan>`,
  )
  return (
    `<g transform="translate(${x} ${y})"><rect x=".5" y=".5" width="${w - 1}" height="${h - 1}" rx="4" fill="${paper}" stroke="${line}"/>` +
    `<text style="font-size:${font.size}px;fill:${ink}">${spans.join('')}</text></g>`
  )
}

/** Breaks a text into so many lines at most; an ellipsis says that there is more. */
export function wrapped(text: string, width: number, most: number, pen: Pick<Pen, 'measure'>): string[] {
  const fits = (line: string) => pen.measure(line, font.size, font.weight, false) <= width
  const lines = text.split('\n').flatMap((paragraph) => broken(paragraph, fits))
  if (lines.length <= most) return lines
  const last = [...(lines[most - 1] ?? '')]
  while (last.length > 0 && !fits(`${last.join('')}…`)) last.pop()
  return [...lines.slice(0, most - 1), `${last.join('')}…`]
}

/** Breaks between words and Han characters, and a word that is longer than a line wherever the line is full. */
function broken(paragraph: string, fits: (line: string) => boolean): string[] {
  const words = paragraph.match(/[\u0021-\u02ff]+|\s+|./gu) ?? []
  const lines: string[] = []
  let line = ''
  for (const piece of words.flatMap((word) => (fits(word) ? [word] : [...word]))) {
    if (line !== '' && !fits(line + piece)) {
      lines.push(line.trimEnd())
      line = piece.trimStart()
    } else line += piece
  }
  return [...lines, line.trimEnd()]
}
