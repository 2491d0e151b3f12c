import { type RefObject, useLayoutEffect, useState } from 'react'
import type { StickyNote } from '~/api/types'

/** Whether a note says more than its paper shows. */
export function useCut(text: RefObject<HTMLElement | null>, note: StickyNote, shown = true): boolean {
  const [cut, setCut] = useState(false)
  // biome-ignore lint/correctness/useExhaustiveDependencies: another text or another paper may fit
  useLayoutEffect(() => {
    const element = text.current
    if (element) setCut(element.scrollHeight > element.clientHeight + 1)
  }, [note, shown])
  return cut
}
