import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { failureZh, hintZh, problemZh, refusedZh } from './codes.zh'
import { systemsZh } from './systems.zh'

// The codes are the server's; its sources are the list that must be translated.
const source = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')
const codes = (path: string, name: RegExp) =>
  [...source(path).matchAll(/^\s*(?:const )?(\w+)[^=\n]*= "([A-Z][A-Z_]+)"/gm)]
    .filter((m) => name.test(m[1] ?? ''))
    .map((m) => m[2] as string)

type Case = [name: string, found: string[], texts: object, least?: number]

const cases: Case[] = [
  ['problems of the engine', codes('engine/codes.go', /^Problem/), problemZh],
  ['problems of switched off plugins', codes('host/flows/switched.go', /^Code/), problemZh, 1],
  ['problems of secrets', codes('host/flows/secrets.go', /^Code/), problemZh, 1],
  ['problems of operations', codes('host/flows/operations.go', /^Code/), problemZh, 2],
  ['problems of subflows', codes('host/flows/subflows.go', /^Code/), problemZh],
  ['failures of the engine', codes('engine/codes.go', /^Fail/), failureZh],
  ['failures of the runner', codes('engine/runner/children.go', /^Fail/), failureZh, 1],
  ['failures of calls', codes('host/runs/executor.go', /^Code/), failureZh],
  ['failures of choices', codes('host/runs/choices.go', /^Code/), failureZh, 1],
  ['failures of the gateway', codes('host/gateway/failure.go', /^Code/), failureZh],
  ['failures of the plugin host', codes('host/wasm/failure.go', /^Code/), failureZh],
  ['refusals of modules', codes('host/plugins/trust.go', /^Code/), failureZh],
  ['problems of plugins without secrets', codes('host/flows/handed.go', /^Code/), problemZh, 1],
  ['what is wrong with systems', codes('host/systems/flaw.go', /^Code/), systemsZh.wrong, 50],
  ['what is wrong with the text of a document', codes('host/document/code.go', /^Code/), systemsZh.wrong, 18],
  ['what is wrong with OpenAPI documents', codes('host/systems/openapi/flaw.go', /^Code/), systemsZh.wrong, 25],
  ['what is wrong with requests about systems', codes('host/registry/refusal.go', /^Code/), systemsZh.wrong, 6],
  ['what a call of a system is refused for', codes('host/gateway/param.go', /^Param/), systemsZh.wrong, 10],
  ['what a try of an operation is refused for', codes('host/tryout/tryout.go', /^Code/), systemsZh.wrong, 1],
  [
    'what is wrong with the secret inputs of a start',
    codes('host/secrets/credential.go', /^Code(Length|SecretControl|Text)$/),
    problemZh,
    3,
  ],
  ['what is wrong with credentials', codes('host/secrets/credential.go', /^Code/), systemsZh.wrong, 10],
  ['refusals', codes('host/fault/fault.go', /./), refusedZh],
]

describe('codes', () => {
  it.each<Case>(cases)('%s are all translated', (_name, found, texts, least = 3) => {
    expect(found.length).toBeGreaterThanOrEqual(least)
    expect(found.filter((code) => !(code in texts))).toEqual([])
  })

  it('of what to do next are all translated', () => {
    const found = [...source('pdk/contract/hint.go').matchAll(/^\tHint\w+\s+Hint = "([a-z_]+)"/gm)].map(
      (m) => m[1] as string,
    )
    expect(found.length).toBeGreaterThan(10)
    expect(found.filter((hint) => !(hint in hintZh))).toEqual([])
  })
})
