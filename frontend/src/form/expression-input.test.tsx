// @vitest-environment happy-dom
import { EditorView } from '@codemirror/view'
import { act, cleanup, render } from '@testing-library/react'
import { useLayoutEffect, useState } from 'react'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { TextEditor } from '~/files/text-editor'
import { ExpressionInput } from './expression-input'
import { happy } from './happy'

type Editor = (props: { value: string; onChange(value: string): void }) => React.JSX.Element

const editors: { name: string; Field: Editor }[] = [
  { name: 'an expression', Field: (props) => <ExpressionInput label="Pause" scope={[]} {...props} /> },
  { name: 'a file', Field: (props) => <TextEditor label="Source" marks={[]} handle={null} {...props} /> },
]

let value: string
let write: (value: string) => void

function view(): EditorView {
  return EditorView.findFromDOM(document.querySelector('.cm-editor') as HTMLElement) as EditorView
}

/** A key, at the end of the text. */
function key(letter: string): void {
  view().dispatch({ changes: { from: view().state.doc.length, insert: letter }, userEvent: 'input.type' })
}

beforeAll(happy)
afterEach(cleanup)

describe.each(editors)('the text of $name', ({ Field }) => {
  /** Holds the value; presses a key right after the letter before it was drawn, as a busy browser does. */
  function Holder({ quick }: { quick: Record<string, string> }) {
    const [held, setHeld] = useState('a')
    value = held
    write = setHeld
    useLayoutEffect(() => {
      const next = quick[held]
      if (next) key(next)
    }, [held, quick])
    return <Field value={held} onChange={setHeld} />
  }

  it('keeps a key that is pressed while the one before is drawn', async () => {
    render(<Holder quick={{ ab: 'c', abc: 'd' }} />)
    await act(async () => key('b'))
    expect([view().state.doc.toString(), value]).toEqual(['abcd', 'abcd'])
  })

  it('is the value that comes from elsewhere', async () => {
    render(<Holder quick={{}} />)
    await act(async () => write('z'))
    expect([view().state.doc.toString(), value]).toEqual(['z', 'z'])
  })
})
