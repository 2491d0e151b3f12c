// @vitest-environment happy-dom
import { renderHook } from '@testing-library/react'
import i18next from 'i18next'
import { initReactI18next } from 'react-i18next'
import { beforeAll, expect, it } from 'vitest'
import { catalogueEn } from '~/i18n/catalogue.en'
import { catalogueZh } from '~/i18n/catalogue.zh'
import { codesEn } from '~/i18n/codes.en'
import manifestZh from '~/i18n/manifest.zh.json'
import { codesAndReasonsZh } from '~/i18n/reasons.zh'
import { useManifestProblem } from './wrong'

beforeAll(async () => {
  await i18next.use(initReactI18next).init({
    lng: 'zh',
    resources: {
      zh: { catalogue: catalogueZh, codes: codesAndReasonsZh, manifest: manifestZh },
      en: { catalogue: catalogueEn, codes: codesEn, manifest: {} },
    },
    interpolation: { escapeValue: false },
  })
})

async function said(lang: 'zh' | 'en', code: string, args: { [name: string]: string }) {
  await i18next.changeLanguage(lang)
  const { result } = renderHook(() => useManifestProblem())
  return result.current({ code, message: 'a sentence of the server', level: 'error', args })
}

it('says what is wrong in a manifest in Chinese, and in the words of the server in English', async () => {
  expect(await said('zh', 'FORM_NO_FIELD', { a: 'system' })).toBe('表单顶层没有字段 "system"')
  expect(await said('zh', 'FORM_KEYWORD', { meant: 'ui:widget' })).toBe('表单不支持这个关键字，是不是 ui:widget？')
  expect(await said('en', 'FORM_NO_FIELD', { a: 'system' })).toBe('a sentence of the server')
})

it('says which rule of schemas is broken, of those of browsers and of those of plugins', async () => {
  const type = { detail: 'must be a string', place: '/type', why: 'SCHEMA_TYPE', a: 'string' }
  expect(await said('zh', 'FORM_STANDARD', type)).toBe('不是合法的 JSON Schema：/type 应为文本')
  const loop = { detail: '#/$defs/a refers to itself', why: 'SCHEMA_LOOP', a: '#/$defs/a' }
  expect(await said('zh', 'FORM_STANDARD', loop)).toBe(
    '不是合法的 JSON Schema：#/$defs/a 引用了自己，而同一个值还有别的规则',
  )
})

it('keeps the words of the server where the code is not known', async () => {
  expect(await said('zh', 'FORM_NEWER', {})).toBe('a sentence of the server')
})
