import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, type Page, test } from '@playwright/test'
import { launch, type Server, stop } from './server'
import { prepare, quiet, type Sights, screens } from './tour'

/** The moment at which everything happened, and that at which one looks. */
const [happened, now] = ['2026-01-05T09:00:00Z', '2026-01-05T09:00:20Z']

/** The screens of which a picture is kept: each shape of page once. */
const shown = ['home', 'flows', 'editor', 'run-failed', 'run-asking', 'runs', 'plugin', 'systems']

const looks = [
  { name: 'zh-light', locale: 'zh-CN', colorScheme: 'light' },
  { name: 'en-dark', locale: 'en-GB', colorScheme: 'dark' },
] as const

// A server of its own: on the shared one other stories change the lists.
let server: Server
let directory: string
let sights: Sights

test.describe.configure({ mode: 'serial' })

test.beforeAll(async ({ playwright }) => {
  test.setTimeout(240_000)
  directory = mkdtempSync(join(tmpdir(), 'culm-pictures-'))
  server = await launch(join(directory, 'data'), '127.0.0.1:0')
  const request = await playwright.request.newContext({ baseURL: server.url })
  sights = await prepare(request)
  await request.dispose()
})

test.afterAll(async () => {
  await stop(server, 'SIGTERM')
  rmSync(directory, { recursive: true, force: true })
})

for (const { name, locale, colorScheme } of looks) {
  test.describe(name, () => {
    test.use({ locale, colorScheme, viewport: { width: 1280, height: 800 } })

    test(`the main screens look as they did, ${name}`, async ({ page, browser }) => {
      test.skip(!sameBrowser(browser.version()), 'the pictures were taken with another version of the browser')
      test.setTimeout(120_000)
      await still(page)
      for (const screen of screens.filter((s) => shown.includes(s.name))) {
        await page.goto(server.url + screen.path(sights))
        await screen.ready(page)
        await quiet(page)
        await expect.soft(page).toHaveScreenshot(`${screen.name}-${name}.png`)
      }
    })
  })
}

/** Makes what the server says about time and names the same each time. */
async function still(page: Page): Promise<void> {
  await page.clock.setFixedTime(now)
  await page.route('**/api/v1/**', async (route) => {
    const answer = await route.fetch()
    const type = answer.headers()['content-type'] ?? ''
    if (!type.includes('json')) return route.fulfill({ response: answer })
    const text = (await answer.text())
      .replace(/"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[^"]*"/g, `"${happened}"`)
      .replace(/("duration_ms":)\d+/g, '$17')
    await route.fulfill({ response: answer, body: text })
  })
}

/** Whether the browser draws as the one that took the pictures: each version draws letters a little differently. */
function sameBrowser(version: string): boolean {
  const kept = readFileSync(join(import.meta.dirname, 'pictures', 'browser.txt'), 'utf8').trim()
  return version.split('.')[0] === kept
}
