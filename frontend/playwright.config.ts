import { defineConfig } from '@playwright/test'

// Debian's Chromium; nothing is downloaded.
const chromium = process.env.CHROMIUM ?? '/usr/bin/chromium'

export default defineConfig({
  testDir: 'e2e',
  globalSetup: './e2e/server.ts',
  // These bound the wait for what must happen: a busy machine may take its time, and who waits for nothing waits long anyway.
  timeout: 120_000,
  expect: {
    timeout: 30_000,
    // What differs from machine to machine is the smoothing of letters: the threshold is for that. An icon is more pixels.
    toHaveScreenshot: { maxDiffPixels: 100, threshold: 0.25, animations: 'disabled', caret: 'hide' },
  },
  snapshotPathTemplate: 'e2e/pictures/{arg}{ext}',
  fullyParallel: true,
  workers: 2,
  forbidOnly: true,
  reporter: [['list']],
  use: {
    // The server is started by globalSetup, which tells where it listens.
    baseURL: process.env.CULM_E2E_URL,
    viewport: { width: 1440, height: 900 },
    locale: 'zh-CN',
    timezoneId: 'Asia/Shanghai',
    contextOptions: { reducedMotion: 'reduce' },
    trace: 'retain-on-failure',
    launchOptions: {
      executablePath: chromium,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--font-render-hinting=none',
      ],
    },
  },
})
