// @vitest-environment happy-dom
import { renderHook } from '@testing-library/react'
import i18next from 'i18next'
import { initReactI18next } from 'react-i18next'
import { beforeAll, expect, it } from 'vitest'
import { ApiError } from '~/api/client'
import { useCodes } from './codes'
import { codesEn } from './codes.en'
import { codesZh } from './codes.zh'
import { en } from './en'
import { reasonsZh } from './reasons.zh'
import { zh } from './zh'

beforeAll(async () => {
  await i18next.use(initReactI18next).init({
    lng: 'zh',
    resources: {
      zh: { translation: zh, codes: codesZh, reasons: reasonsZh },
      en: { translation: en, codes: codesEn, reasons: {} },
    },
    interpolation: { escapeValue: false },
  })
})

async function say(lang: 'zh' | 'en', body: Partial<ApiError['body']>): Promise<string> {
  await i18next.changeLanguage(lang)
  const { result } = renderHook(() => useCodes())
  return result.current.error(new ApiError({ title: '', status: 422, code: 'INVALID', ...body }))
}

const state = { code: 'WRONG_STATE', detail: 'the node is waiting', reason: 'NODE_IS', args: { a: 'waiting' } }
const field = { field: '/note', detail: 'is longer than 200 bytes', reason: 'TOO_MANY_BYTES', args: { a: '200' } }
const missing = { code: 'NOT_FOUND', detail: 'no flow "flow"', reason: 'NO_SUCH', args: { a: 'flow', b: 'flow' } }

it('says a refusal exactly, with what it names, in Chinese', async () => {
  expect(await say('zh', state)).toBe('节点的状态是“等待中”，不能这样操作')
  expect(await say('zh', field)).toBe('提交的内容不合要求（note）：最多 200 字节')
  // The kind is a word; what is named so stays as it is.
  expect(await say('zh', missing)).toBe('没有流程 flow')
})

it('says in English what the server says', async () => {
  expect(await say('en', state)).toBe('The node is waiting')
  expect(await say('en', field)).toMatch(/ \(note\): is longer than 200 bytes$/)
})

it('keeps to the code where there is no reason, or one that is not known', async () => {
  const { reason: _, ...plain } = state
  expect(await say('zh', plain)).toBe('当前状态不允许这个操作')
  expect(await say('zh', { ...state, reason: 'NEWER' })).toBe('当前状态不允许这个操作')
})

it('says in Chinese what a schema wants of a value', async () => {
  await i18next.changeLanguage('zh')
  const { result } = renderHook(() => useCodes())
  const args = { input: 'count', detail: 'must be a whole number', why: 'SCHEMA_TYPE', a: 'integer' }
  const said = result.current.problem({
    code: 'INPUT_INVALID',
    message: 'must be a whole number',
    level: 'error',
    args,
  })
  expect(said).toBe('输入 count 不合要求：应为整数')
})
