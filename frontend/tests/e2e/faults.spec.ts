import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { jobsReadJobs, utilsTestEmail } from '../../src/client'
import { expect, newEmail, openAs, test } from './fixtures'

const SCRIPT = fileURLToPath(new URL('../../../scripts/native.sh', import.meta.url))

function stack(verb: 'stop' | 'start', service: string): void {
  expect(process.env.NATIVE_STACK, 'run this with scripts/native.sh test e2e').toBe('test')
  execFileSync('sh', [SCRIPT, verb, service], { stdio: 'ignore' })
}

test.describe.configure({ mode: 'serial' })
test.afterEach(() => {
  stack('start', 'backend')
  stack('start', 'celeryworker')
})

test('a form keeps its input while the backend restarts', async ({ page, user }) => {
  await openAs(page, user, '/main/profile/edit')
  await page.getByLabel('Full name').fill('Typed before')
  stack('stop', 'backend')
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByText("We'll reconnect automatically")).toBeVisible()
  stack('start', 'backend')
  await expect(page.getByText("We'll reconnect automatically")).toBeHidden({
    timeout: 20_000,
  })
  await expect(page.getByLabel('Full name')).toHaveValue('Typed before')
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByText('Profile saved')).toBeVisible()
  await expect(page.getByRole('main').getByText('Typed before').first()).toBeVisible()
})

test('the web app connects when the backend starts', async ({ page, user }) => {
  await openAs(page, user, '/robots.txt')
  stack('stop', 'backend')
  await page.goto('/main/dashboard')
  await expect(page.getByText("We'll reconnect automatically")).toBeVisible()
  stack('start', 'backend')
  await expect(page.getByText(`Welcome, ${user.email}`)).toBeVisible({ timeout: 20_000 })
})

test('a job that is cancelled while it is queued does not run', async ({ page, superuser }) => {
  const sendTestEmail = () =>
    utilsTestEmail({ client: superuser.client, query: { email_to: newEmail() } })
  /** The states of the superuser's test emails, newest first. */
  const states = async () => {
    const { data } = await jobsReadJobs({ client: superuser.client, query: { sort: '-id' } })
    return data
      .filter(({ owner_id, kind }) => owner_id === superuser.id && kind === 'send_test_email')
      .map(({ state }) => state)
  }
  stack('stop', 'celeryworker')
  await sendTestEmail()
  await openAs(page, superuser, '/main/jobs')
  const row = page
    .getByRole('row')
    .filter({ hasText: superuser.email })
    .filter({ hasText: 'Test email' })
  await expect(row).toContainText('Queued')
  await row.getByRole('button', { name: 'Cancel: Test email' }).click()
  await page.getByRole('button', { name: 'Cancel job' }).click()
  await expect(page.getByText('Job cancelled')).toBeVisible()
  await expect(row).toContainText('Cancelled')

  stack('start', 'celeryworker')
  await sendTestEmail()
  await expect.poll(states, { timeout: 20_000 }).toEqual(['succeeded', 'cancelled'])
})
