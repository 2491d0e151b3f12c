import { AxeBuilder } from '@axe-core/playwright'
import { expect, type Page } from '@playwright/test'

const standards = ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']

/** What of a page breaks WCAG 2.2 AA. Nodes are scaled with the view; the credit of the canvas library is theirs. */
export async function barriers(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(standards)
    .exclude('.react-flow__attribution')
    .analyze()
  return violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`)
}

/** Expects that nothing does. */
export async function accessible(page: Page): Promise<void> {
  expect(await barriers(page)).toEqual([])
}
