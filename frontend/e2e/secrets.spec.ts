import { expect, type Page, test } from '@playwright/test'
import { around, project, publishedFlow } from './steps'

/** Everything that the browser keeps for the page, as one text. */
async function kept(page: Page): Promise<string> {
  return page.evaluate(async () => {
    const parts: string[] = [
      JSON.stringify({ ...localStorage }),
      JSON.stringify({ ...sessionStorage }),
      document.cookie,
    ]
    parts.push(JSON.stringify(history.state), location.href)
    for (const { name } of await indexedDB.databases()) {
      const db = await new Promise<IDBDatabase>((resolve, reject) => {
        const open = indexedDB.open(name ?? '')
        open.onsuccess = () => resolve(open.result)
        open.onerror = () => reject(open.error)
      })
      for (const store of db.objectStoreNames) {
        const rows = await new Promise<unknown>((resolve, reject) => {
          const all = db.transaction(store).objectStore(store).getAll()
          all.onsuccess = () => resolve(all.result)
          all.onerror = () => reject(all.error)
        })
        parts.push(`${name} ${store}`, JSON.stringify(rows))
      }
      db.close()
    }
    for (const name of await caches.keys()) {
      const cache = await caches.open(name)
      for (const request of await cache.keys()) {
        parts.push(request.url, (await (await cache.match(request))?.text()) ?? '')
      }
    }
    for (const worker of await navigator.serviceWorker.getRegistrations()) parts.push(worker.scope)
    return parts.join('\n')
  })
}

test('what is typed in as a secret stays nowhere in the browser', async ({ page, request }) => {
  const words = { project: 'canary-of-the-project', credential: 'canary-of-the-system', run: 'canary-of-the-run' }
  const seen: string[] = []
  page.on('request', (r) => seen.push(r.url(), r.headers().referer ?? ''))
  page.on('console', (message) => seen.push(message.text()))

  await page.goto(`/p/${project}/secrets`)
  await page.getByRole('button', { name: '新建密文' }).click()
  const made = page.getByRole('dialog', { name: '新建密文' })
  await made.getByRole('textbox', { name: '名称' }).fill('stays_nowhere')
  await made.getByLabel(/^值/).fill(words.project)
  await made.getByLabel(/^值/).press('Enter')
  await expect(page.getByRole('row', { name: /stays_nowhere/ })).toBeVisible()

  await request.put(`/api/v1/projects/${project}/systems/keeps-nothing`, {
    data: {
      format: 'culm.system/v1',
      id: 'keeps-nothing',
      title: 'Keeps nothing',
      base_url: 'http://127.0.0.1:9',
      auth: { type: 'bearer' },
      operations: [
        {
          id: 'login',
          title: 'Login',
          method: 'POST',
          path: '/login',
          retry: 'never',
          risk: 'write',
          body: { type: 'object', properties: { password: { type: 'string', 'x-secret': true } } },
        },
      ],
    },
  })
  await page.goto(`/p/${project}/systems/keeps-nothing?tab=credential`)
  const own = page.getByRole('region', { name: '本项目的凭证' })
  await own.getByRole('button', { name: '设置凭证' }).click()
  const dialog = page.getByRole('dialog', { name: '设置凭证' })
  await dialog.getByLabel(/^令牌/).fill(words.credential)
  await dialog.getByRole('button', { name: '保存' }).click()
  await expect(own.getByText('使用中')).toBeVisible()

  const call = { system: 'keeps-nothing', operation: 'login', body: { password: '${password}' } }
  const flow = around('密文不留痕', { type: 'task', plugin: 'http', action: 'call', inputs: call })
  flow.variables = [
    {
      name: 'password',
      source: 'input',
      title: '登录密码',
      secret: true,
      required: true,
      uses: [{ system: 'keeps-nothing', operation: 'login' }],
    },
  ]
  const id = await publishedFlow(request, flow)
  await page.goto(`/p/${project}/flows/${id}/start`)
  await page.getByLabel(/^登录密码/).fill(words.run)
  const typed = await kept(page)
  await page.getByRole('button', { name: '开始运行' }).click()
  await page.waitForURL(/\/runs\//)
  await expect(page.getByText('密文不留痕').first()).toBeVisible()
  const everything = [typed, await kept(page), await page.content(), ...seen].join('\n')
  expect(everything.length).toBeGreaterThan(1000)
  for (const [what, word] of Object.entries(words)) {
    expect(everything.includes(word), `the browser keeps the secret of the ${what}`).toBe(false)
    expect(everything.includes(btoa(word).slice(0, 20)), `the browser keeps the secret of the ${what}`).toBe(false)
  }
})
