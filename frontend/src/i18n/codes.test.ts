import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { failureZh, problemZh, refusedZh } from './codes.zh'

// The codes are the server's; its sources are the list that must be translated.
const source = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')
const codes = (path: string, name: RegExp) =>
  [...source(path).matchAll(/^\s*(\w+)[^=\n]*= "([A-Z][A-Z_]+)"/gm)]
    .filter((m) => name.test(m[1] ?? ''))
    .map((m) => m[2] as string)

const cases = [
  ['problems of the engine', codes('engine/codes.go', /^Problem/), problemZh],
  ['problems of subflows', codes('host/flows/subflows.go', /^Code/), problemZh],
  ['failures of the engine', codes('engine/codes.go', /^Fail/), failureZh],
  ['failures of the gateway', codes('host/gateway/failure.go', /^Code/), failureZh],
  ['failures of the plugin host', codes('host/wasm/failure.go', /^Code/), failureZh],
  ['refusals', codes('host/fault/fault.go', /./), refusedZh],
] as const

describe('codes', () => {
  it.each(cases)('%s are all translated', (_name, found, texts) => {
    expect(found.length).toBeGreaterThan(3)
    expect(found.filter((code) => !(code in texts))).toEqual([])
  })
})
