import { defineConfig } from '@playwright/test'
import tests from './playwright.config'

// `scripts/native.sh test screenshots` uses this: pictures of every view, in the folder screenshots/.
export default defineConfig({
  ...tests,
  testDir: 'tests/screenshots',
  timeout: 900_000,
  projects: [{ name: 'screenshots' }],
})
