/** One thing that the palette leads to. */
export interface Entry {
  id: string
  group: 'actions' | 'flows' | 'pages' | 'runs'
  label: string
  /** Said beside the label. */
  note?: string
  /** Other words that lead to it. */
  also?: string
  run(): void
}

/** The entries that a text leads to: all of its words occur; those that begin with it come first. */
export function matching(entries: readonly Entry[], text: string): Entry[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return [...entries]
  const found = entries.filter((e) => {
    const all = `${e.label} ${e.note ?? ''} ${e.also ?? ''}`.toLowerCase()
    return words.every((w) => all.includes(w))
  })
  const first = words[0] as string
  const rank = (e: Entry) => (e.label.toLowerCase().startsWith(first) ? 0 : 1)
  return found.sort((a, b) => rank(a) - rank(b))
}

/** The groups in the order in which they are shown, each with its entries. */
export function grouped(entries: readonly Entry[]): { group: Entry['group']; entries: Entry[] }[] {
  return (['flows', 'runs', 'pages', 'actions'] as const)
    .map((group) => ({ group, entries: entries.filter((e) => e.group === group) }))
    .filter((g) => g.entries.length > 0)
}
