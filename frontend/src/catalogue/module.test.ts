import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareVersions, customSection, readModule } from './module'

const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]

function leb(n: number): number[] {
  return n < 128 ? [n] : [(n & 0x7f) | 0x80, ...leb(n >>> 7)]
}

function custom(name: string, content: string): number[] {
  const [n, c] = [new TextEncoder().encode(name), new TextEncoder().encode(content)]
  const body = [...leb(n.length), ...n, ...c]
  return [0, ...leb(body.length), ...body]
}

const manifest = JSON.stringify({ format: 'culm.plugin/v1', id: 'toy', version: '1.0.0', title: 'Toy', actions: [] })

function file(bytes: number[]): File {
  return new File([new Uint8Array(bytes)], 'toy.wasm')
}

describe('reading a module', () => {
  it('finds the manifest among other sections', async () => {
    const code = [1, ...leb(200), ...new Array(200).fill(7)]
    const read = await readModule(
      file([...header, ...custom('name', 'x'), ...code, ...custom('culm.manifest', manifest)]),
    )
    expect(read).toMatchObject({ name: 'toy.wasm', manifest: { id: 'toy' } })
    expect((read as { digest: string }).digest).toMatch(/^sha256:[0-9a-f]{64}$/)
  })

  it.each([
    ['an empty file', [], 'notWasm'],
    ['another kind of file', [0x50, 0x4b, 3, 4, 1, 0, 0, 0], 'notWasm'],
    ['a module without a manifest', header, 'noManifest'],
    ['a section that ends too early', [...header, 0, 50, 1, 1], 'notWasm'],
    ['a manifest that is no JSON', [...header, ...custom('culm.manifest', '{')], 'badManifest'],
    [
      'a manifest without actions',
      [...header, ...custom('culm.manifest', '{"id":"x","version":"1.0.0"}')],
      'badManifest',
    ],
  ])('says what is wrong with %s', async (_name, bytes, want) => {
    expect(await readModule(file(bytes))).toBe(want)
  })

  it('ends for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (tail) => {
        customSection(new Uint8Array([...header, ...tail]), 'culm.manifest')
      }),
    )
  })
})

describe('versions', () => {
  it('are ordered as semantic versions are', () => {
    const order = [
      '1.0.0-alpha',
      '1.0.0-alpha.1',
      '1.0.0-alpha.beta',
      '1.0.0-beta.2',
      '1.0.0-beta.11',
      '1.0.0',
      '1.2.0',
      '1.10.0',
      '2.0.0',
    ]
    for (const [i, a] of order.entries())
      for (const [j, b] of order.entries()) expect(Math.sign(compareVersions(a, b)), `${a} ${b}`).toBe(Math.sign(i - j))
    expect(compareVersions('1.0.0+a', '1.0.0+b')).toBe(0)
  })
})
