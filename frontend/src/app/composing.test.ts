// @vitest-environment happy-dom
import { beforeAll, describe, expect, it } from 'vitest'
import { keepComposing } from './composing'

const heard: string[] = []
let field: HTMLInputElement

beforeAll(() => {
  keepComposing()
  field = document.createElement('input')
  document.body.append(field)
  const places = { window, document, root: document.documentElement, body: document.body, field }
  for (const [name, place] of Object.entries(places))
    for (const capture of [true, false])
      place.addEventListener('keydown', () => heard.push(`${name} ${capture ? 'first' : 'after'}`), capture)
})

/** Presses a key in the field; answers who heard it and whether the field itself has it. */
function press(key: string, more: KeyboardEventInit = {}): { by: string[]; kept: boolean } {
  heard.length = 0
  const event = new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...more })
  // Not every browser lets a script say the code.
  if (more.keyCode !== undefined) Object.defineProperty(event, 'keyCode', { value: more.keyCode })
  field.dispatchEvent(event)
  return { by: [...heard], kept: !event.defaultPrevented }
}

describe('a word that an input method is composing', () => {
  it.each(['Enter', 'Escape', 'ArrowDown', 'Delete', 'k', 'Process'])('has the key %s for itself', (key) => {
    expect(press(key, { isComposing: true })).toEqual({ by: [], kept: true })
    expect(press(key, { keyCode: 229 })).toEqual({ by: [], kept: true })
    expect(press(key, { isComposing: true, ctrlKey: true }).by).toEqual([])
  })

  it('leaves the keys after it to the page', () => {
    press('Enter', { isComposing: true })
    expect(press('Enter', { keyCode: 13 }).by).toHaveLength(10)
  })
})
