import { expect, type Page } from '@playwright/test'

/** How long a gesture lasts. */
const gestureMs = 2000
const frameMs = 16

interface Place {
  x: number
  y: number
}

/** Drags the view, from a place where nothing is drawn: that between two rows. */
export async function dragView(page: Page): Promise<void> {
  await drag(page, await emptyPlace(page))
}

/** Drags from a place to and fro, and back to it. */
export async function drag(page: Page, { x, y }: Place): Promise<void> {
  await page.mouse.move(x, y)
  await page.mouse.down()
  const began = performance.now()
  for (let i = 0; performance.now() - began < gestureMs; i++) {
    await page.mouse.move(x + 160 * Math.sin(i / 12), y + 90 * Math.sin(i / 17))
    await until(began + (i + 1) * frameMs)
  }
  await page.mouse.move(x, y)
  await page.mouse.up()
}

export async function wheel(page: Page): Promise<void> {
  const { x, y } = await middle(page)
  await page.mouse.move(x, y)
  const began = performance.now()
  for (let i = 0; performance.now() - began < gestureMs; i++) {
    await page.mouse.wheel(0, Math.sin(i / 10) * 24)
    await until(began + (i + 1) * frameMs)
  }
}

/** The middle of the drawing. */
async function middle(page: Page): Promise<Place> {
  const box = await page.locator('.react-flow').boundingBox()
  if (!box) throw new Error('there is no drawing')
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 }
}

/** The place nearest to the middle of the drawing at which the view can be dragged: the pane itself, and no node or line on it. */
function emptyPlace(page: Page): Promise<Place> {
  return nearest(page, '.react-flow__pane', false)
}

/** The place nearest to the middle at which a node can be taken. */
export function nodeInSight(page: Page): Promise<Place> {
  return nearest(page, '.nd-task', true)
}

async function nearest(page: Page, selector: string, inside: boolean): Promise<Place> {
  const { x, y } = await middle(page)
  return page.evaluate(
    ([x, y, selector, inside]) => {
      for (let away = 0; away < 600; away += 12)
        for (let angle = 0; angle < 360; angle += 15) {
          const turn = (angle * Math.PI) / 180
          const at = { x: x + away * Math.cos(turn), y: y + away * Math.sin(turn) }
          const hit = document.elementFromPoint(at.x, at.y)
          if (inside ? hit?.closest(selector) : hit?.matches(selector)) return at
        }
      throw new Error(`nothing of ${selector} is in sight`)
    },
    [x, y, selector, inside] as const,
  )
}

/** Shows all of the flow. */
export async function overview(page: Page): Promise<void> {
  await zoom(page, 1)
}

/** Shows a part of the flow in its real size. */
export async function close(page: Page): Promise<void> {
  await zoom(page, -1)
  await expect(page.locator('.nd-task').first()).toBeVisible()
}

/** Turns the wheel until the view is as far out, or nearly as close, as it goes. */
async function zoom(page: Page, direction: 1 | -1): Promise<void> {
  const scale = () =>
    page
      .locator('.react-flow__viewport')
      .evaluate((e) => new DOMMatrix(getComputedStyle(e).transform).a)
      .catch(() => 0)
  const { x, y } = await middle(page)
  await page.mouse.move(x, y)
  const enough = direction > 0 ? (s: number) => s < 0.3 : (s: number) => s >= 1
  for (let turns = 0; turns < 100 && !enough(await scale()); turns++) {
    await page.mouse.wheel(0, direction * 120)
    await settled(page)
  }
  await settled(page)
}

/** Waits until the view has stood still for some frames. */
export async function settled(page: Page): Promise<void> {
  await page.evaluate(
    () =>
      new Promise<void>((resolve) => {
        let [last, still] = ['', 0]
        const look = () => {
          const view = document.querySelector<HTMLElement>('.react-flow__viewport')?.style.transform ?? ''
          still = view === last ? still + 1 : 0
          last = view
          if (still > 8) resolve()
          else requestAnimationFrame(look)
        }
        look()
      }),
  )
}

export function until(at: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, at - performance.now())))
}
