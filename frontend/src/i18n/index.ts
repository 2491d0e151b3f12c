import i18next from 'i18next'
import { initReactI18next } from 'react-i18next'
import type { CatalogueMessages } from './catalogue.zh'
import type { CodeMessages } from './codes.zh'
import type { ConsoleMessages } from './console.zh'
import type { EditorMessages } from './editor.zh'
import type { FilesMessages } from './files.zh'
import type { FunctionsMessages } from './functions.zh'
import type { HomeMessages } from './home.zh'
import type { NotesMessages } from './notes.zh'
import type { PaletteMessages } from './palette.zh'
import type { RecordingsMessages } from './recordings.zh'
import type { RegistryMessages } from './registry.zh'
import type { RehearseMessages } from './rehearse.zh'
import type { SchemesMessages } from './schemes.zh'
import type { StartMessages } from './start.zh'
import type { SystemsMessages } from './systems.zh'
import type { Lang } from './text'
import type { TimelineMessages } from './timeline.zh'
import type { VersionsMessages } from './versions.zh'
import type { Messages } from './zh'

declare module 'i18next' {
  interface CustomTypeOptions {
    defaultNS: 'translation'
    resources: {
      translation: Messages
      catalogue: CatalogueMessages
      codes: CodeMessages
      home: HomeMessages
      manifest: { [code: string]: string }
      palette: PaletteMessages
      console: ConsoleMessages
      editor: EditorMessages
      notes: NotesMessages
      files: FilesMessages
      functions: FunctionsMessages
      recordings: RecordingsMessages
      registry: RegistryMessages
      rehearse: RehearseMessages
      schemes: SchemesMessages
      start: StartMessages
      systems: SystemsMessages
      timeline: TimelineMessages
      versions: VersionsMessages
    }
  }
}

const storageKey = 'culm.lang'

const bundles: Record<Lang, () => Promise<Messages>> = {
  zh: () => import('./zh').then((m) => m.zh),
  en: () => import('./en').then((m) => m.en),
}

/** Texts that only some pages need: each part is a namespace, loaded with the first such page. */
type Part =
  | 'catalogue'
  | 'codes'
  | 'console'
  | 'editor'
  | 'files'
  | 'functions'
  | 'home'
  | 'manifest'
  | 'notes'
  | 'palette'
  | 'recordings'
  | 'registry'
  | 'rehearse'
  | 'schemes'
  | 'start'
  | 'systems'
  | 'timeline'
  | 'versions'

const parts: Record<Part, Record<Lang, () => Promise<object>>> = {
  catalogue: {
    zh: () => import('./catalogue.zh').then((m) => m.catalogueZh),
    en: () => import('./catalogue.en').then((m) => m.catalogueEn),
  },
  codes: {
    // Reasons are in Chinese only: English shows what the server says.
    zh: () => import('./reasons.zh').then((m) => m.codesAndReasonsZh),
    en: () => import('./codes.en').then((m) => m.codesEn),
  },
  console: {
    zh: () => import('./console.zh').then((m) => m.consoleZh),
    en: () => import('./console.en').then((m) => m.consoleEn),
  },
  editor: {
    zh: () => import('./editor.zh').then((m) => m.editorZh),
    en: () => import('./editor.en').then((m) => m.editorEn),
  },
  files: {
    zh: () => import('./files.zh').then((m) => m.filesZh),
    en: () => import('./files.en').then((m) => m.filesEn),
  },
  functions: {
    zh: () => import('./functions.zh').then((m) => m.functionsZh),
    en: () => import('./functions.en').then((m) => m.functionsEn),
  },
  home: {
    zh: () => import('./home.zh').then((m) => m.homeZh),
    en: () => import('./home.en').then((m) => m.homeEn),
  },
  manifest: {
    // As reasons: in English the server's words are shown.
    zh: () => import('./manifest.zh.json').then((m) => m.default),
    en: () => Promise.resolve({}),
  },
  notes: {
    zh: () => import('./notes.zh').then((m) => m.notesZh),
    en: () => import('./notes.en').then((m) => m.notesEn),
  },
  palette: {
    zh: () => import('./palette.zh').then((m) => m.paletteZh),
    en: () => import('./palette.en').then((m) => m.paletteEn),
  },
  recordings: {
    zh: () => import('./recordings.zh').then((m) => m.recordingsZh),
    en: () => import('./recordings.en').then((m) => m.recordingsEn),
  },
  registry: {
    zh: () => import('./registry.zh').then((m) => m.registryZh),
    en: () => import('./registry.en').then((m) => m.registryEn),
  },
  rehearse: {
    zh: () => import('./rehearse.zh').then((m) => m.rehearseZh),
    en: () => import('./rehearse.en').then((m) => m.rehearseEn),
  },
  schemes: {
    zh: () => import('./schemes.zh').then((m) => m.schemesZh),
    en: () => import('./schemes.en').then((m) => m.schemesEn),
  },
  start: {
    zh: () => import('./start.zh').then((m) => m.startZh),
    en: () => import('./start.en').then((m) => m.startEn),
  },
  systems: {
    zh: () => import('./systems.zh').then((m) => m.systemsZh),
    en: () => import('./systems.en').then((m) => m.systemsEn),
  },
  timeline: {
    zh: () => import('./timeline.zh').then((m) => m.timelineZh),
    en: () => import('./timeline.en').then((m) => m.timelineEn),
  },
  versions: {
    zh: () => import('./versions.zh').then((m) => m.versionsZh),
    en: () => import('./versions.en').then((m) => m.versionsEn),
  },
}

const loaded = new Set<Part>()

async function add(part: Part, lang: Lang): Promise<void> {
  if (!i18next.hasResourceBundle(lang, part)) i18next.addResourceBundle(lang, part, await parts[part][lang]())
}

/** Loads the texts of a part; a page that uses them is shown after that. */
export async function loadTexts(part: Part): Promise<void> {
  await add(part, i18next.language === 'en' ? 'en' : 'zh')
  loaded.add(part)
}

/** The language a person chose before, or the browser's. */
function preferred(): Lang {
  const chosen = localStorage.getItem(storageKey)
  if (chosen === 'zh' || chosen === 'en') return chosen
  const first = navigator.languages.find((l) => /^(zh|en)\b/i.test(l)) ?? 'en'
  return first.toLowerCase().startsWith('zh') ? 'zh' : 'en'
}

/** Loads the texts of the language to show; only one language travels. */
export async function startI18n(): Promise<void> {
  const lang = preferred()
  const messages = await bundles[lang]()
  await i18next.use(initReactI18next).init({
    lng: lang,
    resources: { [lang]: { translation: messages } },
    interpolation: { escapeValue: false },
    returnNull: false,
    // What is shown before its texts have come is written anew then.
    react: { bindI18nStore: 'added' },
  })
  // Needed when something is wrong, and then a moment later; without them the server's words are shown.
  void loadTexts('codes').catch(() => undefined)
  document.documentElement.lang = lang
}

export async function switchLanguage(lang: Lang): Promise<void> {
  if (!i18next.hasResourceBundle(lang, 'translation')) {
    i18next.addResourceBundle(lang, 'translation', await bundles[lang]())
  }
  await Promise.all([...loaded].map((part) => add(part, lang)))
  await i18next.changeLanguage(lang)
  localStorage.setItem(storageKey, lang)
  document.documentElement.lang = lang
}
