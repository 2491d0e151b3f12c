import type { Reporter, TestCase, TestResult } from '@playwright/test/reporter'

/** Prints what the measurements print, and the errors; the rest is for tests. */
export default class Plain implements Reporter {
  onStdOut(chunk: string | Buffer): void {
    process.stdout.write(chunk)
  }

  onTestEnd(test: TestCase, result: TestResult): void {
    if (result.error)
      process.stdout.write(`${test.title}: ${(result.error.stack ?? result.error.message ?? '').slice(0, 600)}\n`)
  }
}
