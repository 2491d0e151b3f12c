import { defaultKeymap, history, historyKeymap } from '@codemirror/commands'
import { EditorState } from '@codemirror/state'
import { EditorView, keymap, lineNumbers } from '@codemirror/view'
import { type Ref, useEffect, useImperativeHandle, useLayoutEffect, useRef } from 'react'
import { highlight, type Mark, marks as marksOf, setMarks } from './highlight'

/** What can be done with the text from outside. */
export interface TextHandle {
  /** Shows a place and puts the cursor there. */
  goTo(at: number): void
}

interface Props {
  label: string
  value: string
  marks: readonly Mark[]
  handle: Ref<TextHandle>
  onChange(value: string): void
}

/** An editor for a whole file. Tab leaves it, as any other field; Ctrl ] and Ctrl [ indent. */
export function TextEditor({ label, value, marks, handle, onChange }: Props) {
  const holder = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView | null>(null)
  const change = useRef(onChange)
  change.current = onChange

  // biome-ignore lint/correctness/useExhaustiveDependencies: the editor is made once, and told of changes below
  useEffect(() => {
    const editor = new EditorView({
      parent: holder.current as HTMLElement,
      state: EditorState.create({
        doc: value,
        extensions: [
          history(),
          lineNumbers(),
          highlight,
          marksOf,
          EditorState.tabSize.of(2),
          keymap.of([...historyKeymap, ...defaultKeymap]),
          EditorView.contentAttributes.of({ 'aria-label': label, 'data-autofocus': 'true', tabindex: '0' }),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) change.current(update.state.doc.toString())
          }),
        ],
      }),
    })
    view.current = editor
    return () => editor.destroy()
  }, [])

  // While it is drawn, not after: a key that is pressed in between would be taken back, as the value does not have it yet.
  useLayoutEffect(() => {
    const editor = view.current
    if (editor && editor.state.doc.toString() !== value)
      editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value }, selection: { anchor: 0 } })
  }, [value])
  useEffect(() => {
    view.current?.dispatch({ effects: setMarks.of(marks) })
  }, [marks])
  useImperativeHandle(handle, () => ({
    goTo: (at) => {
      const editor = view.current
      if (!editor) return
      const anchor = Math.min(at, editor.state.doc.length)
      editor.dispatch({ selection: { anchor }, effects: EditorView.scrollIntoView(anchor, { y: 'center' }) })
      editor.focus()
    },
  }))

  return <div ref={holder} className="fl-editor" />
}
