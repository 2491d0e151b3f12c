import { type Range, RangeSetBuilder, StateEffect, StateField, type Text } from '@codemirror/state'
import {
  Decoration,
  type DecorationSet,
  EditorView,
  GutterMarker,
  gutter,
  ViewPlugin,
  type ViewUpdate,
} from '@codemirror/view'
import type { Place } from './yaml'

const kinds = {
  comment: Decoration.mark({ class: 'fl-comment' }),
  key: Decoration.mark({ class: 'fl-key' }),
  text: Decoration.mark({ class: 'fl-text' }),
  word: Decoration.mark({ class: 'fl-word' }),
  expression: Decoration.mark({ class: 'fl-expression' }),
}

/** What is told apart in a line: enough to find one's way, and the same for YAML and JSON. */
const token =
  /(?<comment>(?<=^|\s)#.*$)|(?<key>"(?:[^"\\]|\\.)*"(?=\s*:(?:\s|$))|(?<=^[\s-]*|[{,]\s*)[^\s"'#{[&*!|>%@`-][^:#{}[\],]*(?=:(?:\s|$)))|(?<expression>(?<!\$)\$\{[^}]*\})|(?<text>"(?:[^"\\]|\\.)*"|'(?:[^']|'')*')|(?<word>(?<=[:\s[,-]|^)(?:true|false|null|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)(?=[\s,\]}]|$))/g

/** Lines longer than this are left plain: they are data that nobody reads. */
const lineMax = 2000

function mark(view: EditorView): DecorationSet {
  const marks = new RangeSetBuilder<Decoration>()
  for (const { from, to } of view.visibleRanges) {
    for (let at = from; at <= to; ) {
      const line = view.state.doc.lineAt(at)
      if (line.length <= lineMax)
        for (const match of line.text.matchAll(token)) {
          const kind = Object.keys(kinds).find((k) => match.groups?.[k] !== undefined) as keyof typeof kinds
          marks.add(line.from + match.index, line.from + match.index + match[0].length, kinds[kind])
        }
      at = line.to + 1
    }
  }
  return marks.finish()
}

/** Colours keys, texts, numbers, expressions and comments of the lines in sight. */
export const highlight = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet
    constructor(view: EditorView) {
      this.decorations = mark(view)
    }
    update(update: ViewUpdate) {
      if (update.docChanged || update.viewportChanged) this.decorations = mark(update.view)
    }
  },
  { decorations: (plugin) => plugin.decorations },
)

/** A place in the text that something is wrong with. */
export interface Mark extends Pick<Place, 'from' | 'to'> {
  level: 'error' | 'warning'
  title: string
}

/** Puts new marks in the place of the old ones. */
export const setMarks = StateEffect.define<readonly Mark[]>()

function drawn(marks: readonly Mark[], doc: Text): DecorationSet {
  const ranges: Range<Decoration>[] = marks.map(({ from, to, level, title }) => {
    const start = Math.min(from, Math.max(0, doc.length - 1))
    const end = Math.min(Math.max(to, start + 1), doc.lineAt(start).to || doc.length)
    const look = Decoration.mark({ class: `fl-flaw fl-${level}`, attributes: { title } })
    return look.range(start, Math.max(end, Math.min(start + 1, doc.length)))
  })
  return Decoration.set(
    ranges.filter((r) => r.to > r.from),
    true,
  )
}

const field = StateField.define<{ marks: readonly Mark[]; drawn: DecorationSet }>({
  create: () => ({ marks: [], drawn: Decoration.none }),
  update(value, tr) {
    for (const effect of tr.effects)
      if (effect.is(setMarks)) return { marks: effect.value, drawn: drawn(effect.value, tr.newDoc) }
    return tr.docChanged ? { ...value, drawn: value.drawn.map(tr.changes) } : value
  },
  provide: (f) => EditorView.decorations.from(f, (value) => value.drawn),
})

class Sign extends GutterMarker {
  constructor(readonly level: Mark['level']) {
    super()
  }
  override toDOM() {
    const sign = document.createElement('span')
    sign.className = `fl-sign fl-${this.level}`
    sign.textContent = this.level === 'error' ? '✕' : '!'
    return sign
  }
}
const signs = { error: new Sign('error'), warning: new Sign('warning') }

/** Shows marks in the text and beside its lines. */
export const marks = [
  field,
  gutter({
    class: 'fl-signs',
    lineMarker: (view, line) => {
      const here = view.state.field(field).marks.filter((m) => m.from >= line.from && m.from <= line.to)
      if (here.length === 0) return null
      return signs[here.some((m) => m.level === 'error') ? 'error' : 'warning']
    },
    lineMarkerChange: (update) => update.transactions.some((tr) => tr.effects.some((e) => e.is(setMarks))),
  }),
]
