import {
  autocompletion,
  type CompletionContext,
  type CompletionResult,
  closeBrackets,
  completionKeymap,
} from '@codemirror/autocomplete'
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands'
import { Compartment, EditorState, Prec } from '@codemirror/state'
import {
  Decoration,
  type DecorationSet,
  EditorView,
  keymap,
  placeholder as placeholderOf,
  ViewPlugin,
  type ViewUpdate,
} from '@codemirror/view'
import { useEffect, useLayoutEffect, useRef } from 'react'
import type { ScopeName } from '~/doc/scope'
import { expressionsIn } from './expression'
import { functionSource, wantedBefore } from './expression-functions'
import { fits, type KnownType } from './expression-types'

export interface ExpressionInputProps {
  id?: string
  label: string
  value: string
  scope: readonly ScopeName[]
  /** The type that the field needs, as `typeName` gives it: what fits is offered first. */
  wants?: string | undefined
  /** The whole text is CEL, as in a condition; otherwise CEL stands in `${...}`. */
  bare?: boolean
  multiline?: boolean
  placeholder?: string
  invalid?: boolean
  readOnly?: boolean
  autoFocus?: boolean
  onChange(value: string): void
  onBlur?(): void
}

const chip = Decoration.mark({ class: 'cm-expression' })

const chips = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet
    constructor(view: EditorView) {
      this.decorations = mark(view)
    }
    update(update: ViewUpdate) {
      if (update.docChanged) this.decorations = mark(update.view)
    }
  },
  { decorations: (plugin) => plugin.decorations },
)

function mark(view: EditorView): DecorationSet {
  return Decoration.set(expressionsIn(view.state.doc.toString()).map(({ from, to }) => chip.range(from, to)))
}

/** Completes variables, outputs and names of the run; `${` opens the list. Those of the type that is wanted go first. */
function completer(known: () => ExpressionInputProps, bare: boolean) {
  return (context: CompletionContext): CompletionResult | null => {
    const word = context.matchBefore(/\$?\{?[A-Za-z_][\w.]*|\$\{?/)
    if (!word && !context.explicit) return null
    const [from, typed] = [word?.from ?? context.pos, word?.text ?? '']
    const { scope, wants } = known()
    const begins = !bare && typed.startsWith('$')
    if (!begins && (bare || insideExpression(context.state.doc.toString(), from)))
      return options(typed.startsWith('{') ? from + 1 : from, scope, false, wantedBefore(context, bare, wants))
    // Whatever begins an expression at the beginning of the field may be all of it.
    return begins || context.explicit ? options(from, scope, true, from === 0 ? wants : undefined) : null
  }
}

function insideExpression(text: string, at: number): boolean {
  return expressionsIn(text).some(({ from, to }) => at >= from + 2 && (at < to || !text.slice(from, to).endsWith('}')))
}

function options(from: number, scope: readonly ScopeName[], braces: boolean, wanted: KnownType): CompletionResult {
  return {
    from,
    validFor: braces ? /^\$?\{?[\w.]*$/ : /^[\w.]*$/,
    options: scope.map(({ name, type }) => ({
      label: braces ? `\${${name}}` : name,
      detail: type,
      type: 'variable',
      boost: fits(type, wanted) ? 10 : 0,
      apply: (view: EditorView, _completion: unknown, start: number, end: number) => {
        const insert = braces ? `\${${name}}` : name
        // closeBrackets has put a brace behind the cursor already.
        const to = braces && view.state.sliceDoc(end, end + 1) === '}' ? end + 1 : end
        view.dispatch({ changes: { from: start, to, insert }, selection: { anchor: start + insert.length } })
      },
    })),
  }
}

/** The help stands at the far side of the list: beside it there is no room in a panel, and on a phone none at all. */
function beyond(view: EditorView, list: { top: number }): { style: string } {
  const line = view.coordsAtPos(view.state.selection.main.head)
  return { style: line && list.top < line.top ? 'bottom: calc(100% + 4px)' : 'top: calc(100% + 4px)' }
}

/** A one-line (or small) editor for texts with expressions. */
export function ExpressionInput(props: ExpressionInputProps) {
  const holder = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView | null>(null)
  const latest = useRef(props)
  latest.current = props
  const attributes = useRef(new Compartment())

  // biome-ignore lint/correctness/useExhaustiveDependencies: the editor is made once, and told of changes below
  useEffect(() => {
    const { value, bare = false, multiline = false, placeholder = '', readOnly = false, autoFocus = false } = props
    const editor = new EditorView({
      parent: holder.current as HTMLElement,
      state: EditorState.create({
        doc: value,
        extensions: [
          history(),
          closeBrackets(),
          autocompletion({
            override: [completer(() => latest.current, bare), functionSource(() => latest.current, bare)],
            icons: false,
            defaultKeymap: true,
            positionInfo: beyond,
          }),
          Prec.high(keymap.of(completionKeymap)),
          keymap.of([...historyKeymap, ...defaultKeymap.filter((k) => multiline || k.key !== 'Enter')]),
          bare ? [] : chips,
          multiline
            ? EditorView.lineWrapping
            : EditorState.transactionFilter.of((tr) => (tr.newDoc.lines > 1 ? [] : tr)),
          placeholderOf(placeholder),
          EditorState.readOnly.of(readOnly),
          EditorView.editable.of(!readOnly),
          attributes.current.of(attributesOf(props)),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) latest.current.onChange(update.state.doc.toString())
            if (update.focusChanged && !update.view.hasFocus) latest.current.onBlur?.()
          }),
        ],
      }),
    })
    view.current = editor
    if (autoFocus) editor.focus()
    return () => editor.destroy()
  }, [])

  const { value, label, invalid, id } = props
  // While it is drawn, not after: a key that is pressed in between would be taken back, as the value does not have it yet.
  useLayoutEffect(() => {
    const editor = view.current
    if (editor && editor.state.doc.toString() !== value) {
      editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value } })
    }
  }, [value])
  useEffect(() => {
    view.current?.dispatch({ effects: attributes.current.reconfigure(attributesOf({ label, invalid, id })) })
  }, [label, invalid, id])

  return <div ref={holder} className="ex" data-multiline={props.multiline} data-invalid={invalid} />
}

function attributesOf({ label, invalid, id }: Pick<ExpressionInputProps, 'label' | 'invalid' | 'id'>) {
  return EditorView.contentAttributes.of({
    'aria-label': label,
    ...(id ? { id } : {}),
    ...(invalid ? { 'aria-invalid': 'true' } : {}),
  })
}
