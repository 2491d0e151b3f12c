import { useTranslation } from 'react-i18next'
import type { Text } from '~/api/types'

/** The languages of the product. */
export type Lang = 'zh' | 'en'

/** Reads a text in a language, or in the other one where it is missing. */
export function textIn(text: Text | undefined, lang: Lang): string {
  if (text === undefined) return ''
  if (typeof text === 'string') return text
  return text[lang] || text.en || text.zh || ''
}

/** Changes a text in one language; the other one keeps what it says. */
export function withText(old: Text | undefined, lang: Lang, value: string): Text | undefined {
  if (typeof old === 'object' && old.en !== old.zh) {
    const next = { ...old, [lang]: value }
    return next.en === next.zh ? next.en || undefined : next
  }
  return value === '' ? undefined : value
}

/** The language that is shown. */
export function useLang(): Lang {
  return langOf(useTranslation().i18n)
}

/** The language that is shown, for who has asked for the translation already. */
export function langOf(i18n: { language: string }): Lang {
  return i18n.language === 'en' ? 'en' : 'zh'
}

/** Reads texts in the language that is shown. */
export function useText(): (text: Text | undefined) => string {
  const lang = useLang()
  return (text) => textIn(text, lang)
}
