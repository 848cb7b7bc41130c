import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, openAs, test } from './fixtures'

const SCRIPT = fileURLToPath(new URL('../../../scripts/native.sh', import.meta.url))

function stack(verb: 'stop' | 'start', service: string): void {
  expect(process.env.NATIVE_STACK, 'run this with scripts/native.sh test e2e').toBe('test')
  execFileSync('sh', [SCRIPT, verb, service], { stdio: 'ignore' })
}

test.describe.configure({ mode: 'serial' })
test.afterEach(() => stack('start', 'backend'))

test('a form keeps its input while the backend restarts', async ({ page, user }) => {
  await openAs(page, user, '/main/profile/edit')
  await page.getByLabel('Full name').fill('Typed before')
  stack('stop', 'backend')
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByText("The server can't be reached", { exact: true })).toBeVisible()
  stack('start', 'backend')
  await expect(page.getByText("The server can't be reached", { exact: true })).toBeHidden({
    timeout: 20_000,
  })
  await expect(page.getByLabel('Full name')).toHaveValue('Typed before')
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByText('Profile saved')).toBeVisible()
  await expect(page.getByText('Typed before')).toBeVisible()
})

test('the web app connects when the backend starts', async ({ page, user }) => {
  await openAs(page, user, '/robots.txt')
  stack('stop', 'backend')
  await page.goto('/main/dashboard')
  await expect(page.getByText("The server can't be reached", { exact: true })).toBeVisible()
  stack('start', 'backend')
  await expect(page.getByText(`Welcome, ${user.email}`)).toBeVisible({ timeout: 20_000 })
})
