import type { Json } from '~/api/types'

/** One place in which two values differ; what is missing on a side is undefined there. */
export interface Difference {
  path: string
  before: Json | undefined
  after: Json | undefined
}

/** More differences than these help nobody. */
export const differencesMax = 500

/** Lists where two values differ, in the order of the newer one; stops at differencesMax. */
export function differences(before: Json | undefined, after: Json | undefined): Difference[] {
  const out: Difference[] = []
  const walk = (a: Json | undefined, b: Json | undefined, path: string): void => {
    if (out.length >= differencesMax || a === b) return
    const keys = commonKeys(a, b)
    if (!keys) {
      if (a !== undefined || b !== undefined) out.push({ path, before: a, after: b })
      return
    }
    for (const key of keys) walk(at(a, key), at(b, key), join(path, key, Array.isArray(b)))
  }
  walk(before, after, '')
  return out
}

/** The keys of two values of the same shape; undefined where they are compared as wholes. */
function commonKeys(a: Json | undefined, b: Json | undefined): Iterable<string> | undefined {
  if (!isBranch(a) || !isBranch(b) || Array.isArray(a) !== Array.isArray(b)) return undefined
  return new Set([...Object.keys(b), ...Object.keys(a)])
}

export function isBranch(value: Json | undefined): value is Json[] | { [key: string]: Json } {
  return typeof value === 'object' && value !== null
}

function at(value: Json | undefined, key: string): Json | undefined {
  return isBranch(value) && Object.hasOwn(value, key) ? (value as { [key: string]: Json })[key] : undefined
}

const plainName = /^[A-Za-z_][A-Za-z0-9_]*$/

/** Adds a step to a path as expressions write it: hosts[0].ip, labels["a b"]. */
export function join(path: string, key: string, inArray: boolean): string {
  if (inArray) return `${path}[${key}]`
  if (!plainName.test(key)) return `${path}[${JSON.stringify(key)}]`
  return path === '' ? key : `${path}.${key}`
}
