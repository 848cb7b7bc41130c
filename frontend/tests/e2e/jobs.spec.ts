import type { Page } from '@playwright/test'
import { type Job, jobsReadJobs, usersUpdateUserMe, utilsTestEmail } from '../../src/client'
import { violations } from './axe'
import { type Account, expect, newEmail, openAs, PASSWORD, test } from './fixtures'

const PATH = '/main/jobs'

/** The requests of the list. Those of the menu's badge skip nothing. */
const LIST = '**/api/v1/jobs/?skip=*'

const JOB: Job = {
  id: 2_000_000_000,
  created_at: '2026-11-27T10:00:00Z',
  updated_at: '2026-11-27T10:00:00Z',
  owner_id: null,
  owner: null,
  kind: 'send_test_email',
  state: 'queued',
  progress: 0,
  total: null,
  message: '',
  attempts: 0,
  result: null,
  source: null,
  file: null,
  problem_count: 0,
  started_at: null,
  finished_at: null,
}

/** Shows a job with these values: real jobs are too fast. Returns what a test can change and count. */
async function showJob(page: Page, fields: Partial<Job>, options: { times?: number } = {}) {
  const list = { fields, requests: 0 }
  const headers = { 'X-Total-Count': '1' }
  await page.route(
    LIST,
    (route) => {
      list.requests += 1
      return route.fulfill({ json: [{ ...JOB, ...list.fields }], headers })
    },
    options,
  )
  return list
}

/** Sends a test email and returns its job. */
async function sendTestEmail({ client, id }: Account): Promise<Job> {
  await utilsTestEmail({ client, query: { email_to: newEmail() } })
  const { data } = await jobsReadJobs({ client, query: { sort: '-id' } })
  return data.find(({ owner_id, kind }) => owner_id === id && kind === 'send_test_email')!
}

/** The rows of a superuser's list with this owner and this kind. */
const rowsOf = (page: Page, { email }: Account, kind = 'Test email') =>
  page
    .getByRole('row')
    .filter({ has: page.getByRole('cell', { name: email, exact: true }) })
    .filter({ has: page.getByText(kind, { exact: true }) })

const firstRow = (page: Page) => page.locator('tbody tr').first()

test('a job is shown until it has succeeded, without a reload', async ({ page, superuser }) => {
  const job = await sendTestEmail(superuser)
  await showJob(page, { ...job, state: 'queued', finished_at: null }, { times: 1 })
  await openAs(page, superuser, PATH)
  await expect(rowsOf(page, superuser)).toContainText('Queued')
  await expect(rowsOf(page, superuser)).toContainText('Done', { timeout: 20_000 })
  await expect(rowsOf(page, superuser).getByRole('button')).toHaveCount(0)
})

test('users see their own jobs, and superusers those of everybody', async ({
  page,
  browser,
  user,
  superuser,
}) => {
  await sendTestEmail(superuser)
  const body = { email: newEmail(), current_password: PASSWORD }
  await usersUpdateUserMe({ client: user.client, body })
  await openAs(page, user)
  await page.getByRole('link', { name: 'Jobs' }).click()
  await expect(page).toHaveTitle(/^Jobs/)
  await expect(page).toHaveURL(PATH)
  const titles = ['Job', 'State', 'Progress', 'Created', 'Actions']
  await expect(page.getByRole('columnheader')).toHaveText(titles)
  await expect(page.getByRole('cell', { name: /Email change confirmation/ })).toBeVisible()
  await expect(page.getByRole('cell', { name: /Test email/ })).toHaveCount(0)

  const all = await (await browser.newContext()).newPage()
  await openAs(all, superuser, `${PATH}?limit=100`)
  await expect(rowsOf(all, superuser)).toBeVisible()
  await expect(rowsOf(all, user, 'Email change confirmation')).toBeVisible()
  await expect(all.getByRole('columnheader', { name: 'Owner' })).toBeVisible()
})

test('the newest job is the first', async ({ page, user }) => {
  for (const email of [newEmail(), newEmail()]) {
    const body = { email, current_password: PASSWORD }
    await usersUpdateUserMe({ client: user.client, body })
  }
  const { data } = await jobsReadJobs({ client: user.client, query: { sort: '-id' } })
  const response = page.waitForResponse(LIST)
  await openAs(page, user, PATH)
  expect(((await (await response).json()) as Job[]).map(({ id }) => id)).toEqual(
    data.map(({ id }) => id).slice(0, 10),
  )
})

test('a running job shows its progress while the page is visible', async ({ page, user }) => {
  const list = await showJob(page, {
    kind: 'export_items',
    state: 'running',
    attempts: 1,
    progress: 1250,
    total: 5000,
    message: 'Reading items',
  })
  await page.clock.install()
  await openAs(page, user, PATH)
  await expect(firstRow(page)).toContainText(/Export items.*Reading items.*Running.*1,250 of 5,000/)
  await expect(firstRow(page)).not.toContainText('Attempts')
  const progress = page.getByRole('progressbar', { name: 'Progress' })
  await expect(progress).toHaveAttribute('aria-valuenow', '1250')
  await expect(progress).toHaveAttribute('aria-valuemax', '5000')
  expect(await violations(page)).toEqual([])

  list.fields = { ...list.fields, progress: 2500 }
  await page.clock.runFor(2_000)
  await expect(firstRow(page)).toContainText('2,500 of 5,000')

  const setVisibility = (state: string) =>
    page.evaluate((visibilityState) => {
      Object.defineProperty(document, 'visibilityState', {
        value: visibilityState,
        configurable: true,
      })
      document.dispatchEvent(new Event('visibilitychange'))
    }, state)
  await setVisibility('hidden')
  await page.waitForLoadState('networkidle')
  let { requests } = list
  await page.clock.runFor(10_000)
  expect(list.requests).toBe(requests)
  list.fields = { ...list.fields, state: 'succeeded', finished_at: '2026-11-27T10:01:00Z' }
  await setVisibility('visible')
  await expect(firstRow(page)).toContainText('Done')
  await expect(progress).toHaveCount(0)

  // Nothing can change any more.
  ;({ requests } = list)
  await page.clock.runFor(10_000)
  expect(list.requests).toBe(requests)
})

test('a running job without a total shows no progress', async ({ page, user }) => {
  await showJob(page, { state: 'running', progress: 3, attempts: 1 })
  await openAs(page, user, PATH)
  await expect(firstRow(page)).toContainText('Running')
  await expect(firstRow(page)).not.toContainText('3 of')
  await expect(firstRow(page).getByRole('progressbar')).toHaveCount(0)
})

test('a failed job shows its reason and its attempts', async ({ page, user }) => {
  const message = 'The mail server rejected the recipient <b>x</b>'
  await showJob(page, { state: 'failed', attempts: 3, progress: 1, total: 2, message })
  await openAs(page, user, PATH)
  await expect(firstRow(page)).toContainText('Failed')
  await expect(firstRow(page)).toContainText('Attempts: 3')
  await expect(page.getByText(message)).toBeVisible()
  await expect(firstRow(page).getByRole('progressbar')).toHaveCount(0)
  await expect(firstRow(page).getByRole('button')).toHaveCount(0)
})

test('a job is cancelled after a question', async ({ page, user }) => {
  const list = await showJob(page, { state: 'queued' })
  await page.route(`**/api/v1/jobs/${JOB.id}/cancel`, (route) => {
    expect(route.request().method()).toBe('POST')
    list.fields = { state: 'cancelled', finished_at: '2026-11-27T10:01:00Z' }
    return route.fulfill({ json: { ...JOB, ...list.fields } })
  })
  await openAs(page, user, PATH)
  const cancel = page.getByRole('button', { name: 'Cancel: Test email' })
  const question = page.getByRole('alertdialog', { name: 'Cancel the job?' })
  await cancel.click()
  await question.getByRole('button', { name: "Don't cancel" }).click()
  await expect(question).toBeHidden()
  await expect(firstRow(page)).toContainText('Queued')

  await expect(cancel).toBeFocused()
  await page.keyboard.press('Enter')
  await expect(question).toContainText("“Test email” will stop. You can't resume it.")
  expect(await violations(page)).toEqual([])
  await question.getByRole('button', { name: 'Cancel job' }).click()
  await expect(page.getByText('Job cancelled')).toBeVisible()
  await expect(firstRow(page)).toContainText('Cancelled')
  await expect(cancel).toHaveCount(0)
  // Keyboard users resume here, because the focused button has disappeared.
  await expect(page.getByRole('heading', { name: 'Jobs' })).toBeFocused()
})

test('a job that has finished meanwhile is not cancelled', async ({ page, superuser }) => {
  const job = await sendTestEmail(superuser)
  await expect
    .poll(async () => {
      const { data } = await jobsReadJobs({ client: superuser.client, query: { sort: '-id' } })
      return data.find(({ id }) => id === job.id)?.state
    })
    .toBe('succeeded')
  await showJob(page, { ...job, state: 'running' })
  await openAs(page, superuser, PATH)
  await page.getByRole('button', { name: 'Cancel: Test email' }).click()
  await page.getByRole('button', { name: 'Cancel job' }).click()
  await expect(page.getByText('This job has already finished.')).toBeVisible()
  await expect(page.getByText('Job cancelled')).toHaveCount(0)
})
