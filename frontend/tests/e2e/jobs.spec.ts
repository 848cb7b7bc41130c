import type { Page } from '@playwright/test'
import { type Job, jobsCancelJob, jobsReadJob, jobsReadJobs, utilsTestEmail } from '../../src/client'
import { type Account, expect, hold, newEmail, openAs, test } from './fixtures'
import { seriousViolations } from './axe'

const LIST = '**/api/v1/jobs/?*'

/** Sends a test mail, which is a job of the superuser. Returns the job. */
async function sendTestEmail({ client, id }: Account): Promise<Job> {
  await utilsTestEmail({ client, query: { email_to: newEmail() } })
  const { data } = await jobsReadJobs({ client, query: { sort: '-id' } })
  return data.find(({ owner_id }) => owner_id === id)!
}

/** A job that is running for the second time. */
const running: Job = {
  id: 7,
  created_at: '2026-11-27T10:00:00Z',
  updated_at: '2026-11-27T10:00:05Z',
  owner_id: null,
  owner: null,
  kind: 'export_items',
  state: 'running',
  progress: 1250,
  total: 5000,
  message: 'Reading items',
  attempts: 2,
  result: null,
  started_at: '2026-11-27T10:00:01Z',
  finished_at: null,
}

/** Shows these jobs instead of those of the backend. Returns a function that changes them, and one that counts requests. */
async function mockJobs(page: Page, jobs: Job[]) {
  let requests = 0
  await page.route(LIST, (route) => {
    requests += 1
    return route.fulfill({ json: jobs, headers: { 'X-Total-Count': String(jobs.length) } })
  })
  return { set: (next: Job[]) => void (jobs = next), count: () => requests }
}

const rows = (page: Page) => page.locator('tbody tr')
