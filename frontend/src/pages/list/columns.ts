import { useState } from 'react'

/** The columns of a list: those of the address, else those chosen last, else the usual ones. */
export function useColumns(list: string, all: readonly string[], usual: readonly string[], given: string | undefined) {
  const storageKey = `culm.columns.${list}`
  const [kept, setKept] = useState(() => localStorage.getItem(storageKey))
  const asked = (given ?? kept)?.split(',')
  const shown = asked ? all.filter((id) => asked.includes(id)) : usual
  const keep = (columns: readonly string[]): string => {
    const text = all.filter((id) => columns.includes(id)).join(',') || '-'
    localStorage.setItem(storageKey, text)
    setKept(text)
    return text
  }
  return { shown, keep }
}
