import type { CDPSession, Page } from '@playwright/test'

/** What a stretch of time cost a page. */
export interface Reading {
  frames: number
  /** Frames of each second. */
  fps: number
  /** The interval that 95 of 100 frames keep, in ms. */
  p95: number
  /** Processor time of the page's main thread for each frame, in ms. */
  main: number
  /** Share of one processor that the main thread took, in percent. */
  share: number
}

/** Measures a page by its frames and by the processor time of its main thread. */
export class Meter {
  readonly #page: Page
  readonly #cdp: CDPSession

  private constructor(page: Page, cdp: CDPSession) {
    this.#page = page
    this.#cdp = cdp
  }

  static async of(page: Page): Promise<Meter> {
    const cdp = await page.context().newCDPSession(page)
    await cdp.send('Performance.enable', { timeDomain: 'threadTicks' })
    return new Meter(page, cdp)
  }

  /**
   * Measures while something is done, by frames. To count them a page is asked for every one that the screen can show,
   * whether it has something to draw or not: some tenths of a millisecond each, also of a page that stands still.
   */
  async while(act: () => Promise<void>): Promise<Reading> {
    await this.#page.evaluate(() => {
      const marks: number[] = []
      const mark = (at: number) => {
        marks.push(at)
        window.benchFrame = requestAnimationFrame(mark)
      }
      window.benchMarks = marks
      window.benchFrame = requestAnimationFrame(mark)
    })
    const before = await this.#busy()
    const began = performance.now()
    await act()
    const took = performance.now() - began
    const busy = (await this.#busy()) - before
    const marks = await this.#page.evaluate(() => {
      cancelAnimationFrame(window.benchFrame)
      return window.benchMarks
    })
    const gaps = marks.slice(1).map((at, i) => at - (marks[i] ?? at))
    return {
      frames: marks.length,
      fps: (marks.length * 1000) / took,
      p95: quantile(gaps, 0.95),
      main: busy / Math.max(1, marks.length),
      share: (busy * 100) / took,
    }
  }

  /** The share of one processor that the main thread takes while something is done, in percent; the page draws only what it wants to. */
  async share(act: () => Promise<void>): Promise<number> {
    const before = await this.#busy()
    const began = performance.now()
    await act()
    return (((await this.#busy()) - before) * 100) / (performance.now() - began)
  }

  /** What the page keeps in memory after everything else was thrown away, in MiB. */
  async heap(): Promise<number> {
    await this.#cdp.send('HeapProfiler.collectGarbage')
    return (await this.#metric('JSHeapUsedSize')) / (1 << 20)
  }

  /** Processor time of the main thread so far, in ms. */
  async #busy(): Promise<number> {
    return (await this.#metric('TaskDuration')) * 1000
  }

  async #metric(name: string): Promise<number> {
    const { metrics } = await this.#cdp.send('Performance.getMetrics')
    return metrics.find((m) => m.name === name)?.value ?? 0
  }
}

/** The value that a share of all keeps; 0 when there is none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

declare global {
  interface Window {
    benchFrame: number
    benchMarks: number[]
    benchPainted: number
    benchSeen: [string, string, number][]
  }
}
