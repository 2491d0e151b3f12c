// @vitest-environment happy-dom
import { renderHook } from '@testing-library/react'
import i18next from 'i18next'
import { initReactI18next } from 'react-i18next'
import { beforeAll, expect, it } from 'vitest'
import { ApiError } from '~/api/client'
import { useCodes } from './codes'
import { codesEn } from './codes.en'
import { en } from './en'
import { codesAndReasonsZh } from './reasons.zh'
import { zh } from './zh'

beforeAll(async () => {
  await i18next.use(initReactI18next).init({
    lng: 'zh',
    resources: {
      zh: { translation: zh, codes: codesAndReasonsZh },
      en: { translation: en, codes: codesEn },
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

/** A problem of a flow, said in a language. */
async function problem(lang: 'zh' | 'en', code: string, message: string, args: { [name: string]: string }) {
  await i18next.changeLanguage(lang)
  const { result } = renderHook(() => useCodes())
  return result.current.problem({ code, message, level: 'error', args })
}

it('says where an expression is wrong, and what', async () => {
  const args = { offset: '6', row: '1', column: '7', why: 'EXPR_OVERLOAD', a: '+', b: '(int, string)' }
  const message = '+ cannot be applied to (int, string)'
  expect(await problem('zh', 'EXPR_TYPE', message, args)).toBe(
    '表达式类型不对：第 1 行第 7 列，+ 不能用于 (int, string)',
  )
  expect(await problem('en', 'EXPR_TYPE', message, args)).toBe(
    'The expression has the wrong type: line 1, column 7: + cannot be applied to (int, string)',
  )
})

it('marks the words of a library, where no kind fits, as words of somebody else', async () => {
  const args = { offset: '0', row: '1', column: '1' }
  expect(await problem('zh', 'EXPR_TYPE', 'a sentence of CEL', args)).toBe(
    '表达式类型不对：第 1 行第 1 列，原文：a sentence of CEL',
  )
  expect(await problem('zh', 'VARIABLE_SCHEMA_INVALID', 'x', { detail: 'of a schema' })).toBe(
    '变量的类型定义有误：原文：of a schema',
  )
  expect(await problem('en', 'VARIABLE_SCHEMA_INVALID', 'x', { detail: 'of a schema' })).toMatch(/: of a schema$/)
})

it('says which keyword of a schema is wrong', async () => {
  const args = { detail: '/minLength: must be a whole number', place: '/minLength', why: 'SCHEMA_TYPE', a: 'integer' }
  expect(await problem('zh', 'VARIABLE_SCHEMA_INVALID', args.detail, args)).toBe(
    '变量的类型定义有误：/minLength 应为整数',
  )
})

it('says what is wrong inside a subflow by the code of its own problem', async () => {
  const args = {
    flow: 'sub',
    at: 'a/inputs/x',
    code: 'EXPR_SYNTAX',
    detail: 'the expression is not finished',
    of_why: 'EXPR_UNFINISHED',
    of_row: '1',
    of_column: '4',
  }
  expect(await problem('zh', 'SUBFLOW_INVALID', 'x', args)).toBe(
    '子流程 sub 有错误（a/inputs/x）：表达式语法错误：第 1 行第 4 列，表达式没有写完',
  )
})
