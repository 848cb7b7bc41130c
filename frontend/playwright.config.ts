import { defineConfig, devices } from '@playwright/test'

// `scripts/native.sh test e2e` starts a separate stack for the tests and sets these variables.
const { BASE_URL = 'http://localhost', CHROMIUM, CI } = process.env

export default defineConfig({
  testDir: 'tests/e2e',
  forbidOnly: !!CI,
  fullyParallel: true,
  // Long enough for a busy machine. Only failing tests take this long.
  timeout: 120_000,
  expect: { timeout: 15_000 },
  workers: 2,
  // In CI, a failed test is repeated for its trace, and still counts as failed: traces of all tests take a tenth of the time.
  retries: CI ? 1 : 0,
  failOnFlakyTests: !!CI,
  reporter: [['list']],
  use: {
    ...devices['Desktop Chrome'],
    baseURL: BASE_URL,
    actionTimeout: 30_000,
    locale: 'en-US',
    launchOptions: { executablePath: CHROMIUM },
    // Recording a film of every test takes a quarter of its time. Traces have a snapshot of each step instead.
    trace: { mode: CI ? 'on-first-retry' : 'retain-on-failure', screenshots: false },
    screenshot: 'only-on-failure',
  },
  // The project "faults" runs last: its tests stop services that other tests need.
  projects: [
    { name: 'pages', testIgnore: 'faults.spec.ts' },
    { name: 'faults', testMatch: 'faults.spec.ts', workers: 1, dependencies: ['pages'] },
  ],
})
