import { defineConfig } from '@playwright/test'
import base from './playwright.config'

// The measurements of the canvas: one page at a time, so that it has the machine to itself.
export default defineConfig({
  ...base,
  testDir: 'bench',
  testMatch: '*.bench.ts',
  timeout: 300_000,
  fullyParallel: false,
  workers: 1,
  reporter: [['./bench/reporter.ts']],
  use: { ...base.use, locale: 'en-GB', trace: 'off' },
})
