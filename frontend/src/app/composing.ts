/** The code that browsers give a key which an input method took. */
const takenCode = 229

/**
 * Keeps the keys of an input method from everything on the page: Enter and Escape choose and drop letters of a word
 * then, and ask for nothing else. Whoever listens later, wherever in the page, hears the other keys only. Safari
 * ends a word before it tells of the Enter that ended it, so that the code of the key is asked too.
 */
export function keepComposing(): void {
  window.addEventListener(
    'keydown',
    (event) => {
      if (event.isComposing || event.keyCode === takenCode) event.stopImmediatePropagation()
    },
    true,
  )
}
