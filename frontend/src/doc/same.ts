import type { Flow } from '~/api/types'

/** Whether two documents say the same, whatever the order of their properties. */
export function sameFlow(a: Flow, b: Flow): boolean {
  if (a === b) return true
  const { nodes: an, edges: ae, variables: av, ...ar } = a
  const { nodes: bn, edges: be, variables: bv, ...br } = b
  return sameItems(an, bn) && sameItems(ae, be) && sameItems(av ?? [], bv ?? []) && canonical(ar) === canonical(br)
}

/** Most items of an edited document are those it was loaded with: only the others are looked into. */
function sameItems(a: readonly object[], b: readonly object[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i] || canonical(item) === canonical(b[i]))
}

/** JSON with sorted properties and without those that say nothing. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (key, v: unknown) => {
    if (v === '' && (key === 'strategy' || key === 'on_failure' || key === 'condition')) return undefined
    if (v === null || typeof v !== 'object' || Array.isArray(v)) return v
    const object = v as Record<string, unknown>
    return Object.fromEntries(
      Object.keys(object)
        .sort()
        .map((k) => [k, object[k]]),
    )
  })
}
