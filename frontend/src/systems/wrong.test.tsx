// @vitest-environment happy-dom
import { readFileSync } from 'node:fs'
import { renderHook } from '@testing-library/react'
import i18next from 'i18next'
import { initReactI18next } from 'react-i18next'
import { beforeAll, describe, expect, it } from 'vitest'
import { ApiError } from '~/api/client'
import { systemsEn } from '~/i18n/systems.en'
import { systemsZh } from '~/i18n/systems.zh'
import { useWrong } from './wrong'

beforeAll(async () => {
  await i18next.use(initReactI18next).init({
    lng: 'zh',
    resources: { zh: { systems: systemsZh }, en: { systems: systemsEn } },
    interpolation: { escapeValue: false },
  })
})

type Args = { [name: string]: string }

async function said(lang: 'zh' | 'en', code: string, args: Args, written = false) {
  await i18next.changeLanguage(lang)
  const { result } = renderHook(() => useWrong(written))
  const problem = { code, message: 'a sentence of the server', level: 'error' as const, field: '/x', args }
  const body = { title: '', status: 422, code: 'INVALID' as const, problems: [problem] }
  return result.current(new ApiError(body)).get('/x')
}

const source = (path: string) => readFileSync(`../${path}`, 'utf8')
/** What a library finds wrong, by the codes that the server has for its sentences. */
const kinds = [
  ...[...source('engine/expr/issue.go').matchAll(/\), "(EXPR_[A-Z_]+)", "/g)].map((m) => m[1] as string),
  ...[...source('host/document/code.go').matchAll(/= "(DOC_[A-Z_]+)"/g)].map((m) => m[1] as string),
  ...[...source('host/systems/flaw.go').matchAll(/= "(SCHEMA[A-Z_]*|BROKEN)"/g)].map((m) => m[1] as string),
]
/** The codes of sentences that fit no kind. */
const unknown = ['BROKEN', 'DOC_SYNTAX', 'DOC_VALUE', 'SCHEMA_INVALID']

describe('what a library finds wrong', () => {
  it('is said in Chinese, of each kind', async () => {
    expect(new Set(kinds).size).toBeGreaterThan(55)
    for (const code of kinds.filter((k) => !unknown.includes(k))) {
      const text = (await said('zh', code, { a: 'A', b: 'B' })) ?? ''
      expect(text, code).toMatch(/[\u4e00-\u9fff]/)
      expect(text, code).not.toMatch(/sentence|原文|\{\{/)
    }
  })

  it('stands behind a mark where no kind fits', async () => {
    for (const code of unknown) {
      expect(await said('zh', code, { a: 'words of a library' }), code).toMatch(/。原文：words of a library$/)
      expect(await said('en', code, { a: 'words of a library' }), code).toMatch(/: words of a library$/)
    }
  })

  it('names the place', async () => {
    const overload = { a: '+', b: '(string, int)', row: '2', column: '23' }
    expect(await said('zh', 'EXPR_OVERLOAD', overload)).toBe('第 2 行第 23 列：+ 不能用于 (string, int)')
    expect(await said('en', 'EXPR_OVERLOAD', overload)).toBe('Line 2, column 23: + cannot be applied to (string, int)')
    const bracket = { a: ']', line: '3' }
    expect(await said('zh', 'DOC_YAML_BRACKET', bracket, true)).toBe('第 3 行：缺少逗号，或缺少闭合的 ]')
    expect(await said('zh', 'DOC_YAML_BRACKET', bracket)).toBe('缺少逗号，或缺少闭合的 ]')
    expect(await said('zh', 'SCHEMA_RULE_TYPE', { a: '/minLength', b: 'integer' })).toBe(
      '不是合法的 JSON Schema：/minLength 的类型须为 integer',
    )
    expect(await said('zh', 'SCHEMA_RULE', { a: '', b: 'minimum' })).toBe(
      '不是合法的 JSON Schema：整个值 不符合规则 minimum',
    )
  })
})
