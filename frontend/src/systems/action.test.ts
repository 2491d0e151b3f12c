import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { registryZh } from '~/i18n/registry.zh'

/** Routes that ask and change nothing: they have no entry in the audit. */
const quiet = [/\/diff$/, /\/validate$/, /\/simulate$/, /\/preview$/]

it('every change that the audit can hold has a name', () => {
  const golden = readFileSync(new URL('../../../host/api/testdata/routes.golden', import.meta.url), 'utf8')
  const actions = [...golden.matchAll(/^(POST|PUT|DELETE) +\/api\/v1\/(\S+)$/gm)]
    .filter(([, , path]) => !quiet.some((q) => q.test(path as string)))
    .map(([, method, path]) => {
      const words = (path as string).split('/').filter((w) => w !== 'projects' && !w.startsWith('{'))
      return [...words, (method as string).toLowerCase()].join('_')
    })
  expect(actions.length).toBeGreaterThan(20)
  expect(actions.filter((a) => !(a in registryZh.action))).toEqual([])
})
