import { AxeBuilder } from '@axe-core/playwright'
import { expect, type Page, test } from '@playwright/test'
import { prepare, quiet, type Screen, type Sights, screens, textsOf } from './tour'

const standards = ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']

/** The language and the appearance in which the tour is made, and what would be foreign there. */
const tours = [
  { locale: 'zh-CN', scheme: 'light', foreign: english },
  { locale: 'en-GB', scheme: 'dark', foreign: chinese },
] as const

for (const { locale, scheme, foreign } of tours) {
  test.describe(`the tour in ${locale}, ${scheme}`, () => {
    test.use({ locale, colorScheme: scheme })

    test('no screen mixes languages, and all meet WCAG 2.2 AA', async ({ page, request }) => {
      test.setTimeout(240_000) // the analysis of each screen takes seconds
      const sights = await prepare(request)
      for (const screen of screens) await look(page, screen, sights, foreign)
    })
  })
}

/** Opens a screen and says what is wrong with it. */
async function look(page: Page, screen: Screen, sights: Sights, foreign: (text: string) => boolean): Promise<void> {
  await test.step(screen.name, async () => {
    await page.goto(screen.path(sights))
    await screen.ready(page)
    await quiet(page)
    const texts = await textsOf(page)
    expect
      .soft(
        texts.filter((t) => foreign(t.text)),
        `${screen.name}: texts in another language`,
      )
      .toEqual([])
    const { violations } = await new AxeBuilder({ page })
      .withTags(standards)
      .exclude('.react-flow__attribution')
      .analyze()
    const found = violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`)
    expect.soft(found, `${screen.name}: accessibility`).toEqual([])
  })
}

/** Han characters, but for the name of the language that one can switch to. */
function chinese(text: string): boolean {
  return /\p{Script=Han}/u.test(text) && !['中', '中文'].includes(text)
}

/**
 * Two English words in a row. One alone is often a name: of a plugin, of a protocol, of a product.
 */
function english(text: string): boolean {
  return /\b[A-Za-z]{2,}\s+[a-z]{2,}\b/.test(text)
}
