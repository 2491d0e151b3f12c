import type { Manifest } from '~/api/types'

/** What a file is before it is sent: its digest and what its manifest says. */
export interface ModuleFile {
  name: string
  file: Blob
  digest: string
  manifest: Manifest
}

/** Why a file cannot be sent; the names are those of the texts. */
export type Unreadable = 'notWasm' | 'noManifest' | 'badManifest' | 'tooLarge'

/** The server takes no larger one. */
const bytesMax = 16 * 1024 * 1024

const sectionName = 'culm.manifest'

/**
 * Reads a module's manifest in the browser, so that a person sees what is asked for
 * before anything is sent. It decides nothing: the server reads the module again.
 */
export async function readModule(file: File): Promise<ModuleFile | Unreadable> {
  if (file.size > bytesMax) return 'tooLarge'
  const bytes = new Uint8Array(await file.arrayBuffer())
  const section = customSection(bytes, sectionName)
  if (section === 'notWasm' || section === undefined) return section ?? 'noManifest'
  const manifest = manifestOf(section)
  if (!manifest) return 'badManifest'
  const sum = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  const digest = `sha256:${Array.from(sum, (b) => b.toString(16).padStart(2, '0')).join('')}`
  return { name: file.name, file, digest, manifest }
}

function manifestOf(section: Uint8Array): Manifest | undefined {
  try {
    const value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(section)) as Partial<Manifest> | null
    const known =
      value && typeof value.id === 'string' && typeof value.version === 'string' && value.title !== undefined
    return known && Array.isArray(value.actions) ? (value as Manifest) : undefined
  } catch {
    return undefined
  }
}

/** Finds the content of a custom section; undefined when there is none of that name. */
export function customSection(bytes: Uint8Array, name: string): Uint8Array | undefined | 'notWasm' {
  const magic = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]
  if (magic.some((b, i) => bytes[i] !== b)) return 'notWasm'
  const at = { offset: magic.length }
  while (at.offset < bytes.length) {
    const id = bytes[at.offset++]
    const size = leb128(bytes, at)
    if (size === undefined || at.offset + size > bytes.length) return 'notWasm'
    const end = at.offset + size
    if (id === 0) {
      const length = leb128(bytes, at)
      if (length === undefined || at.offset + length > end) return 'notWasm'
      const found = new TextDecoder().decode(bytes.subarray(at.offset, at.offset + length))
      if (found === name) return bytes.subarray(at.offset + length, end)
    }
    at.offset = end
  }
  return undefined
}

/** Reads an unsigned number of up to 32 bits and moves on behind it. */
function leb128(bytes: Uint8Array, at: { offset: number }): number | undefined {
  let value = 0
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = bytes[at.offset++]
    if (byte === undefined) return undefined
    value += (byte & 0x7f) * 2 ** shift
    if ((byte & 0x80) === 0) return value <= 0xffffffff ? value : undefined
  }
  return undefined
}

/** Compares two semantic versions: below 0 when a is older. */
export function compareVersions(a: string, b: string): number {
  const [x, y] = [parsed(a), parsed(b)]
  for (let i = 0; i < 3; i++) {
    const by = (x.numbers[i] ?? 0) - (y.numbers[i] ?? 0)
    if (by !== 0) return by
  }
  if (!x.pre || !y.pre) return Number(!x.pre) - Number(!y.pre)
  return comparePre(x.pre.split('.'), y.pre.split('.'))
}

function parsed(version: string): { numbers: number[]; pre: string } {
  const [main = '', pre = ''] = (version.split('+')[0] ?? '').split(/-(.*)/s)
  return { numbers: main.split('.').map(Number), pre }
}

function comparePre(a: string[], b: string[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const [x, y] = [a[i], b[i]]
    if (x === undefined || y === undefined) return x === undefined ? -1 : 1
    if (x === y) continue
    const [m, n] = [/^\d+$/.test(x), /^\d+$/.test(y)]
    if (m && n) return Number(x) - Number(y)
    if (m !== n) return m ? -1 : 1
    return x < y ? -1 : 1
  }
  return 0
}
