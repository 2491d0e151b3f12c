import { describe, expect, it } from 'vitest'
import { catalogueEn } from './catalogue.en'
import { catalogueZh } from './catalogue.zh'
import { codesEn } from './codes.en'
import { codesZh } from './codes.zh'
import { consoleEn } from './console.en'
import { consoleZh } from './console.zh'
import { editorEn } from './editor.en'
import { editorZh } from './editor.zh'
import { en } from './en'
import { filesEn } from './files.en'
import { filesZh } from './files.zh'
import { functionsEn } from './functions.en'
import { functionsZh } from './functions.zh'
import { homeEn } from './home.en'
import { homeZh } from './home.zh'
import { notesEn } from './notes.en'
import { notesZh } from './notes.zh'
import { paletteEn } from './palette.en'
import { paletteZh } from './palette.zh'
import { recordingsEn } from './recordings.en'
import { recordingsZh } from './recordings.zh'
import { registryEn } from './registry.en'
import { registryZh } from './registry.zh'
import { rehearseEn } from './rehearse.en'
import { rehearseZh } from './rehearse.zh'
import { schemesEn } from './schemes.en'
import { schemesZh } from './schemes.zh'
import { startEn } from './start.en'
import { startZh } from './start.zh'
import { systemsEn } from './systems.en'
import { systemsZh } from './systems.zh'
import { timelineEn } from './timeline.en'
import { timelineZh } from './timeline.zh'
import { versionsEn } from './versions.en'
import { versionsZh } from './versions.zh'
import { zh } from './zh'

type Tree = { [key: string]: string | Tree }

function flatten(tree: Tree, prefix = ''): Map<string, string> {
  const out = new Map<string, string>()
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === 'string') out.set(prefix + key, value)
    else for (const [k, v] of flatten(value, `${prefix}${key}.`)) out.set(k, v)
  }
  return out
}

const texts = {
  zh: flatten({
    ...zh,
    catalogue: catalogueZh,
    codes: codesZh,
    home: homeZh,
    palette: paletteZh,
    console: consoleZh,
    editorPart: editorZh,
    notes: notesZh,
    schemes: schemesZh,
    filesPart: filesZh,
    functions: functionsZh,
    recordings: recordingsZh,
    registry: registryZh,
    rehearse: rehearseZh,
    start: startZh,
    systems: systemsZh,
    timeline: timelineZh,
    versions: versionsZh,
  }),
  en: flatten({
    ...en,
    catalogue: catalogueEn,
    codes: codesEn,
    home: homeEn,
    palette: paletteEn,
    console: consoleEn,
    editorPart: editorEn,
    notes: notesEn,
    schemes: schemesEn,
    filesPart: filesEn,
    functions: functionsEn,
    recordings: recordingsEn,
    registry: registryEn,
    rehearse: rehearseEn,
    start: startEn,
    systems: systemsEn,
    timeline: timelineEn,
    versions: versionsEn,
  }),
}
const placeholders = (text: string) => [...text.matchAll(/\{\{(\w+)\}\}/g)].map((m) => m[1]).sort()

describe('the two languages', () => {
  it('have the same keys', () => {
    expect([...texts.en.keys()].sort()).toEqual([...texts.zh.keys()].sort())
  })

  it('fill in the same values', () => {
    for (const [key, text] of texts.zh)
      expect(new Set(placeholders(texts.en.get(key) ?? '')), key).toEqual(new Set(placeholders(text)))
  })

  it('are not mixed: no Chinese in English, and no bare English sentence in Chinese', () => {
    for (const [key, text] of texts.en) expect(text, key).not.toMatch(/[\u4e00-\u9fff]/)
    for (const [key, text] of texts.zh) {
      const words = text.replace(/\{\{\w+\}\}/g, '')
      expect(/[\u4e00-\u9fff]/.test(words) || words.replace(/[^A-Za-z]/g, '') === '', `${key}: ${text}`).toBe(true)
    }
  })

  it('leave no text empty', () => {
    for (const map of Object.values(texts)) for (const [key, text] of map) expect(text.trim(), key).not.toBe('')
  })
})
