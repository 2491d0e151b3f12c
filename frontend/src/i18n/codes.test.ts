import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { adviceZh, failureZh, hintZh, problemZh, refusedZh } from './codes.zh'
import { en } from './en'
import { systemsZh } from './systems.zh'
import { zh } from './zh'

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

/** Sources that fail no node of a person's run: doubles and cases for tests, and what a script of a dry run is told. */
const elsewhere =
  /^(host\/hosttest|host\/traces|host\/plugins\/cases|pdk\/pdktest|engine\/storetest|engine\/simulate)\/|_test\.go$/

/** Every code that the sources put into a failure: as a word, or by the name of a constant. */
function failuresOfSources(): Set<string> {
  const files = ['engine', 'host', 'pdk', 'plugins-src'].flatMap((dir) =>
    readdirSync(new URL(`../../../${dir}`, import.meta.url), { recursive: true, encoding: 'utf8' })
      .filter((f) => f.endsWith('.go') && !elsewhere.test(`${dir}/${f}`))
      .map((f) => source(`${dir}/${f}`)),
  )
  const constants = new Map(
    files.flatMap((text) =>
      [...text.matchAll(/^\s*(?:const )?((?:Code|Fail)\w+)[^=\n]*= "([A-Z_]+)"/gm)].map((m) => [m[1], m[2]] as const),
    ),
  )
  return new Set(
    files.flatMap((text) =>
      [...text.matchAll(/(?:\bFailure\{\s*Code:|\bFail\()\s*(?:"([A-Z_]+)"|(?:\w+\.)?((?:Code|Fail)\w+))/g)].flatMap(
        (m) => m[1] ?? constants.get(m[2]) ?? [],
      ),
    ),
  )
}

describe('a failure of a node', () => {
  it('has a title, whatever part of the program or shipped plugin it comes from', () => {
    const found = [...failuresOfSources()]
    expect(found.length).toBeGreaterThan(25)
    expect(found).toEqual(expect.arrayContaining(['REJECTED', 'HOST_FAULT', 'CALLBACKS_OFF', 'CHILD_NOT_STARTED']))
    expect(found.filter((code) => !(code in failureZh))).toEqual([])
  })

  it('has something to do next: by its code, or by whose fault it is', () => {
    const origins = [...source('pdk/contract/call.go').matchAll(/^\tOrigin\w+\s+Origin = "([a-z]+)"/gm)]
      .map((m) => m[1] as string)
      .sort()
    expect(origins.length).toBeGreaterThan(4)
    for (const { origin } of [zh, en]) {
      expect(Object.keys(origin.advice).sort()).toEqual(origins)
      expect(Object.keys(origin.name).sort()).toEqual(origins)
    }
    expect(Object.keys(adviceZh).filter((code) => !(code in failureZh))).toEqual([])
  })
})
