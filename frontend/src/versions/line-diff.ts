/** One line of two texts that are laid over each other. */
export interface Line {
  kind: 'same' | 'removed' | 'added'
  text: string
}

/** Larger texts than this, in pairs of lines, are not aligned: the old one is shown above the new one. */
const pairsMax = 1_000_000

/** Lays two texts over each other: the longest run of common lines stays, what was there before comes first. */
export function linesOf(before: string, after: string): Line[] {
  const [a, b] = [before.split('\n'), after.split('\n')]
  let head = 0
  while (head < a.length && head < b.length && a[head] === b[head]) head++
  let tail = 0
  while (tail < a.length - head && tail < b.length - head && a.at(-1 - tail) === b.at(-1 - tail)) tail++
  const mark = (kind: Line['kind']) => (text: string) => ({ kind, text })
  return [
    ...a.slice(0, head).map(mark('same')),
    ...middle(a.slice(head, a.length - tail), b.slice(head, b.length - tail)),
    ...a.slice(a.length - tail).map(mark('same')),
  ]
}

function middle(a: readonly string[], b: readonly string[]): Line[] {
  if (a.length * b.length > pairsMax)
    return [...a.map((text): Line => ({ kind: 'removed', text })), ...b.map((text): Line => ({ kind: 'added', text }))]
  const width = b.length + 1
  // common[i * width + j] is how many lines a from i and b from j have in common.
  const common = new Uint32Array((a.length + 1) * width)
  const at = (i: number, j: number) => common[i * width + j] ?? 0
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      common[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
  const out: Line[] = []
  let [i, j] = [0, 0]
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      out.push({ kind: 'same', text: a[i++] as string })
      j++
    } else if (i < a.length && (j === b.length || at(i + 1, j) >= at(i, j + 1)))
      out.push({ kind: 'removed', text: a[i++] as string })
    else out.push({ kind: 'added', text: b[j++] as string })
  }
  return out
}
