import i18next from 'i18next'
import { initReactI18next } from 'react-i18next'
import type { Lang } from './text'
import type { Messages } from './zh'

declare module 'i18next' {
  interface CustomTypeOptions {
    defaultNS: 'translation'
    resources: { translation: Messages }
  }
}

const storageKey = 'culm.lang'

const bundles: Record<Lang, () => Promise<Messages>> = {
  zh: () => import('./zh').then((m) => m.zh),
  en: () => import('./en').then((m) => m.en),
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
  })
  document.documentElement.lang = lang
}

export async function switchLanguage(lang: Lang): Promise<void> {
  if (!i18next.hasResourceBundle(lang, 'translation')) {
    i18next.addResourceBundle(lang, 'translation', await bundles[lang]())
  }
  await i18next.changeLanguage(lang)
  localStorage.setItem(storageKey, lang)
  document.documentElement.lang = lang
}
