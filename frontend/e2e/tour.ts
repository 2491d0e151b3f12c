import { type APIRequestContext, expect, type Page } from '@playwright/test'
import { around, node, project, publishedFlow, startedRun } from './steps'

/** What the screens of the tour show. */
export interface Sights {
  flow: string
  failed: string
  asking: string
}

/** One screen of the product: how to get there, and when it is all there. */
export interface Screen {
  name: string
  path(sights: Sights): string
  ready(page: Page): Promise<void>
}

/** Makes a flow, a run of it that failed, and one that waits for a person. */
export async function prepare(request: APIRequestContext): Promise<Sights> {
  const late = {
    plugin: 'core',
    action: 'wait_until',
    name: { en: 'Too late', zh: '太晚了' },
    inputs: { at: '2020-01-01T00:00:00Z', past: 'fail' },
  }
  const person = {
    plugin: 'core',
    action: 'confirm',
    name: { en: 'Release?', zh: '发布？' },
    inputs: { prompt: '1' },
  }
  const flow = await publishedFlow(request, around('A1', late))
  const asks = await publishedFlow(request, around('B2', person))
  const failed = await startedRun(request, flow, {}, 'A1')
  await settled(request, failed, 'failed')
  const asking = await startedRun(request, asks, {}, 'B2')
  await settled(request, asking, 'waiting')
  return { flow, failed, asking }
}

/** Waits until the task of a run has a state. */
async function settled(request: APIRequestContext, run: string, state: string): Promise<void> {
  const read = async () => {
    const answer = await request.get(`/api/v1/projects/${project}/runs/${run}`)
    return ((await answer.json()) as { nodes: { task?: { state: string } } }).nodes.task?.state
  }
  await expect.poll(read).toBe(state)
}

const heading = (page: Page) => expect(page.getByRole('main').getByRole('heading').first()).toBeVisible()
const alert = (page: Page) => expect(page.getByRole('main').getByRole('alert')).toBeVisible()
const drawn = (page: Page) => expect(node(page, 'task')).toBeVisible()

/** The source of the flow, over its canvas. */
async function source(page: Page): Promise<void> {
  await drawn(page)
  await page.keyboard.press('y')
  await expect(page.locator('.fl-verdict svg')).toBeVisible()
}

/** The picture of the flow, in the same dialog. */
async function image(page: Page): Promise<void> {
  await source(page)
  await page.getByRole('dialog').getByRole('tab').nth(1).click()
  await expect(page.getByRole('dialog').locator('img')).toBeVisible()
}

/** The panel that a key opens beside the canvas. */
const panel = (key: string) => async (page: Page) => {
  await drawn(page)
  await page.keyboard.press(key)
  await expect(page.locator('aside').last().getByRole('heading').first()).toBeVisible()
}

/** The form of an operation, changed where it is looked at. */
async function operation(page: Page): Promise<void> {
  await heading(page)
  await page.getByRole('main').getByRole('tab').nth(1).waitFor()
  const parts = page.getByRole('tabpanel').getByRole('tab')
  await parts.last().click()
  await expect(page.getByRole('tabpanel').getByRole('textbox').first()).toBeVisible()
}

/** Every screen that can be opened by its address. */
export const screens: readonly Screen[] = [
  { name: 'home', path: () => '/', ready: heading },
  { name: 'flows', path: () => `/p/${project}/flows`, ready: heading },
  { name: 'flows-none', path: () => `/p/${project}/flows?q=nothing-is-called-so`, ready: heading },
  { name: 'editor', path: (s) => `/p/${project}/flows/${s.flow}`, ready: drawn },
  { name: 'editor-source', path: (s) => `/p/${project}/flows/${s.flow}`, ready: source },
  { name: 'editor-image', path: (s) => `/p/${project}/flows/${s.flow}`, ready: image },
  { name: 'editor-schemes', path: (s) => `/p/${project}/flows/${s.flow}`, ready: panel('s') },
  { name: 'editor-note', path: (s) => `/p/${project}/flows/${s.flow}`, ready: panel('n') },
  { name: 'start', path: (s) => `/p/${project}/flows/${s.flow}/start`, ready: heading },
  { name: 'dry-run', path: (s) => `/p/${project}/flows/${s.flow}/dry-run`, ready: drawn },
  { name: 'versions', path: (s) => `/p/${project}/flows/${s.flow}/versions?from=v1`, ready: drawn },
  { name: 'runs', path: () => `/p/${project}/runs`, ready: heading },
  { name: 'run-failed', path: (s) => `/p/${project}/runs/${s.failed}?node=task`, ready: drawn },
  { name: 'run-asking', path: (s) => `/p/${project}/runs/${s.asking}?node=task`, ready: drawn },
  { name: 'run-unknown', path: () => `/p/${project}/runs/r0`, ready: alert },
  { name: 'plugins', path: () => `/p/${project}/plugins`, ready: heading },
  { name: 'plugin', path: () => `/p/${project}/plugins/core`, ready: heading },
  { name: 'systems', path: () => `/p/${project}/systems`, ready: heading },
  { name: 'system', path: () => `/p/${project}/systems/demo`, ready: heading },
  { name: 'system-state', path: () => `/p/${project}/systems/demo?tab=state`, ready: heading },
  { name: 'operation', path: () => `/p/${project}/systems/demo`, ready: operation },
  { name: 'system-new', path: () => `/p/${project}/system-new`, ready: heading },
  { name: 'system-import', path: () => `/p/${project}/system-import`, ready: heading },
  { name: 'secrets', path: () => `/p/${project}/secrets`, ready: heading },
  { name: 'audit', path: () => `/p/${project}/audit`, ready: heading },
]

/** Waits until nothing is loading any more and no text is about to change. */
export async function quiet(page: Page): Promise<void> {
  await page.waitForLoadState('networkidle')
  await page.evaluate(() => document.fonts.ready)
}

/** The texts and names that a person meets on the page, with where each is. */
export function textsOf(page: Page): Promise<{ text: string; where: string }[]> {
  return page.evaluate(() => {
    const found: { text: string; where: string }[] = []
    const where = (e: Element | null) => {
      const path: string[] = []
      for (let at = e; at && path.length < 4; at = at.parentElement)
        path.unshift(
          at.tagName.toLowerCase() +
            (at.className && typeof at.className === 'string' ? `.${at.className.split(' ')[0]}` : ''),
        )
      return path.join(' > ')
    }
    // What people, plugins and machines wrote is in the language that they wrote it in.
    const foreign =
      'code, pre, .num, .cm-editor, [lang], [data-user-text], .rn-failure, .react-flow__attribution, [aria-hidden=true], script, style, noscript, title'
    const isForeign = (e: Element | null) => !!e?.closest(foreign) && e.closest(foreign) !== document.documentElement
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    for (let n = walker.nextNode(); n; n = walker.nextNode()) {
      const text = n.textContent?.trim() ?? ''
      if (text && !isForeign(n.parentElement)) found.push({ text, where: where(n.parentElement) })
    }
    for (const e of document.body.querySelectorAll('[aria-label], [title], [placeholder], [alt]'))
      for (const name of ['aria-label', 'title', 'placeholder', 'alt']) {
        const text = e.getAttribute(name)?.trim() ?? ''
        if (text && !isForeign(e)) found.push({ text, where: `${where(e)} @${name}` })
      }
    return found
  })
}
