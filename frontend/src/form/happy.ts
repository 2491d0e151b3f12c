import i18next from 'i18next'
import { initReactI18next } from 'react-i18next'
import { vi } from 'vitest'
import { en } from '~/i18n/en'

/** Readies English texts, and what the components of tests ask of a browser and happy-dom does not have. */
export async function happy(): Promise<void> {
  await i18next
    .use(initReactI18next)
    .init({ lng: 'en', resources: { en: { translation: en } }, interpolation: { escapeValue: false } })
  vi.stubGlobal('matchMedia', (query: string) => ({
    matches: false,
    media: query,
    addEventListener() {},
    removeEventListener() {},
    addListener() {},
    removeListener() {},
  }))
  Object.assign(document, { fonts: { addEventListener() {}, removeEventListener() {} } })
}
