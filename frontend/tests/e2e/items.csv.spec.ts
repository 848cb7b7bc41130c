import { readFile, truncate, writeFile } from 'node:fs/promises'
import type { Page } from '@playwright/test'
import {
  itemsImportItems,
  itemsReadItems,
  type Job,
  jobsCancelJob,
  jobsReadJob,
  jobsReadJobs,
} from '../../src/client'
import { violations } from './axe'
import { type Account, expect, hold, openAs, test } from './fixtures'
import { createItem } from './records/items'

const LIST = '/main/items/all'
/** The import of so many rows takes some seconds. */
const MANY = 150_000

const file = (name: string, lines: string[]) => ({
  name,
  mimeType: 'text/csv',
  buffer: Buffer.from(lines.join('\r\n')),
})
const rows = (count: number) =>
  Array.from({ length: count }, (_, row) => `title ${row},the description of row ${row}`)

const dialog = (page: Page) => page.getByRole('dialog', { name: 'Import from CSV' })
const field = (page: Page) => dialog(page).locator('input[type=file]')
const submit = (page: Page) =>
  dialog(page).getByRole('button', { name: 'Import', exact: true }).click()
const progress = (page: Page) => page.getByRole('progressbar', { name: 'Progress' })
const done = (page: Page) => progress(page).getAttribute('aria-valuenow').then(Number)
const menuEntry = (page: Page) =>
  page.getByRole('navigation', { name: 'Menu', exact: true }).getByRole('link', { name: 'Jobs' })

async function openMenu(page: Page, action: 'Import from CSV' | 'Export to CSV'): Promise<void> {
  await page.getByRole('button', { name: 'More actions' }).click()
  await page.getByRole('menuitem', { name: action }).click()
}

/** Imports the lines below a header, and waits for the view of the job. */
async function importRows(
  page: Page,
  user: Account,
  lines: string[],
  header = 'title,description',
): Promise<void> {
  await openAs(page, user, LIST)
  await openMenu(page, 'Import from CSV')
  await field(page).setInputFiles(file('items.csv', [header, ...lines]))
  await submit(page)
  await expect(page).toHaveURL(/\/main\/jobs\/view\/\d+$/)
  await expect(page.getByRole('heading', { name: 'items.csv', level: 1 })).toBeVisible()
}

/** Waits until the import has inserted some rows, but not all. */
async function waitForProgress(page: Page, than = 0): Promise<number> {
  await expect.poll(() => done(page), { timeout: 60_000 }).toBeGreaterThan(than)
  return done(page)
}

/** Cancels the import, unless it has finished, so that it does not slow down the next test. */
async function cancelImport({ client }: Account): Promise<void> {
  const { data } = await jobsReadJobs({ client, query: { sort: '-id', limit: 1 } })
  await jobsCancelJob({ client, path: { id: data[0]!.id }, throwOnError: false })
}

async function countItems({ client }: Account): Promise<number> {
  const { response } = await itemsReadItems({ client, query: { limit: 1 } })
  return Number(response.headers.get('X-Total-Count'))
}

async function readDownload(page: Page, button: string): Promise<{ name: string; text: string }> {
  const download = page.waitForEvent('download')
  await page.getByRole('button', { name: button }).click()
  const saved = await download
  return { name: saved.suggestedFilename(), text: await readFile(await saved.path(), 'utf8') }
}

async function expectNoOverflow(page: Page): Promise<void> {
  const overflow = await page.evaluate(() => document.body.scrollWidth - window.innerWidth)
  expect(overflow).toBeLessThanOrEqual(0)
}

test('an import shows its progress live, also after a reload, and then its rows', async ({
  page,
  user,
}) => {
  const errors: Error[] = []
  page.on('pageerror', (error) => errors.push(error))
  await importRows(page, user, rows(MANY))
  await expect(page).toHaveTitle(/^items\.csv/)
  const first = await waitForProgress(page)
  await expect(page.getByText(/^[\d,]+ of 150,000$/)).toBeVisible()
  await page.reload()
  await waitForProgress(page, first)
  await expect(page.getByText(/about \d+ sec left/)).toBeVisible({ timeout: 30_000 })
  await expect(page.getByText('150,000 rows imported', { exact: true })).toBeVisible({
    timeout: 60_000,
  })
  await expect(progress(page)).toHaveCount(0)
  await page.getByRole('link', { name: 'Show the list' }).click()
  await expect(page.getByText('1–10 of 150,000')).toBeVisible()
  await expect(page.getByRole('link', { name: 'title 149999' })).toBeVisible()
  expect(errors).toEqual([])
})

test('an import without the name of a file is named after its kind', async ({ page, user }) => {
  const { client } = user
  const { data } = await itemsImportItems({ client, body: 'title\none\ntwo' })
  await openAs(page, user, `/main/jobs/view/${data.id}`)
  await expect(page.getByRole('heading', { name: 'Import items', level: 1 })).toBeVisible()
  await expect(page.getByText('2 rows imported', { exact: true })).toBeVisible()
})

test('wrong lines are reported, and nothing is imported', async ({ page, user }) => {
  const lines = rows(1240)
  lines[3] = ',no title'
  lines[5] = `${'x'.repeat(256)},`
  lines[7] = '=1+1'
  for (let row = 20; row < 36; row += 1) lines[row] = `title,"${'x'.repeat(10_001)}"`
  await importRows(page, user, lines)
  await expect(page.getByText('Nothing was imported')).toBeVisible({ timeout: 30_000 })
  const text = '19 of 1,240 lines have problems. Correct them in the file and import it again.'
  await expect(page.getByRole('note')).toContainText(text)
  // Screen readers read it when the job finishes.
  await expect(page.getByRole('status').getByText(`Failed: ${text}`)).toBeAttached()
  const line = page.locator('tbody tr')
  await expect(line).toHaveCount(10)
  await expect(line.nth(0)).toHaveText(/^5\s*title\s*empty\s*Required$/)
  await expect(line.nth(1)).toHaveText(/^7\s*title\s*x{100}\s*At most 255 characters$/)
  await expect(line.nth(2)).toHaveText(/^9\s*—\s*—\s*Values in the line: 1, expected: 2$/)
  await expect(page.getByText('1–10 of 19')).toBeVisible()
  await page.getByRole('button', { name: 'Next page' }).click()
  await expect(line).toHaveCount(9)
  await page.getByRole('button', { name: /^description\s*16$/ }).click()
  await expect(page.getByText('1–10 of 16')).toBeVisible()
  await page.getByRole('button', { name: /^Other\s*1$/ }).click()
  await expect(line).toHaveCount(1)
  expect(await violations(page)).toEqual([])

  const report = await readDownload(page, 'Download report')
  expect(report.name).toBe('items-problems.csv')
  const written = report.text.split('\r\n')
  expect(written.slice(0, 4)).toEqual([
    '\uFEFFLine,Column,Value,Problem',
    '5,title,,Required',
    `7,title,${'x'.repeat(100)},At most 255 characters`,
    '9,,,"Values in the line: 1, expected: 2"',
  ])
  expect(written).toHaveLength(21)

  await page.setViewportSize({ width: 390, height: 844 })
  await expect(page.getByText('Line 9')).toBeVisible()
  await expectNoOverflow(page)
  expect(await violations(page)).toEqual([])
  expect(await countItems(user)).toBe(0)

  await page.getByRole('link', { name: 'Import again' }).click()
  await expect(dialog(page)).toBeVisible()
  await expect(page).toHaveURL(LIST)
  await page.goto('/main/jobs')
  const row = page.getByRole('listitem').filter({ hasText: 'items.csv' })
  await expect(row).toContainText('19 of 1,240 lines have problems')
  await row.getByRole('link', { name: 'Report: items.csv' }).click()
  await expect(page.getByText('Nothing was imported')).toBeVisible()
})

test('a report that still loads is downloaded, and its formula gets an apostrophe', async ({
  page,
  user,
}) => {
  const release = await hold(page, '**/report', 'GET')
  await importRows(page, user, [`=${'x'.repeat(256)},`])
  const download = page.waitForEvent('download')
  await page.getByRole('button', { name: 'Download report' }).click()
  release()
  const text = await readFile(await (await download).path(), 'utf8')
  expect(text).toContain(`2,title,'=${'x'.repeat(99)},At most 255 characters`)
})

test('a wrong header is reported', async ({ page, user }) => {
  await importRows(page, user, ['x'], 'name')
  await expect(page.getByRole('note')).toContainText('1 line has problems. Correct them')
  await expect(page.locator('tbody tr')).toHaveText([
    /^1\s*title\s*—\s*The column is missing$/,
    /^1\s*name\s*—\s*There is no such column$/,
  ])
})

test('an export has the rows that the list shows', async ({ page, user }) => {
  for (const title of ['=blue', 'a blue one', 'red']) await createItem(user.client, { title })
  await openAs(page, user, `${LIST}?q=blue&sort=title`)
  await expect(page.getByText('1–2 of 2')).toBeVisible()
  await openMenu(page, 'Export to CSV')
  await expect(page.getByText('2 rows exported', { exact: true })).toBeVisible({ timeout: 30_000 })
  const { name, text } = await readDownload(page, 'Download')
  expect(name).toMatch(/^items-\d{4}-\d\d-\d\d\.csv$/)
  expect(text).toContain("'=blue")
  expect(text).toContain('a blue one')
  expect(text).not.toContain('red')
  expect(text.trim().split('\n')).toHaveLength(3)

  await page.getByRole('link', { name: 'Jobs' }).last().click()
  const row = page.getByRole('row', { name: /Export items/ })
  await expect(row).toContainText(name)
  await expect(row).toContainText('2 rows')
  expect((await readDownload(page, `Download: ${name}`)).text).toBe(text)
})

test('a running import is cancelled, and leaves no rows', async ({ page, user }) => {
  await importRows(page, user, rows(MANY))
  await waitForProgress(page)
  const cancel = page.getByRole('button', { name: 'Cancel', exact: true })
  const question = page.getByRole('alertdialog', { name: 'Cancel the job?' })
  await cancel.click()
  await question.getByRole('button', { name: "Don't cancel" }).click()
  await expect(cancel).toBeFocused()
  await cancel.click()
  await question.getByRole('button', { name: 'Cancel job' }).click()
  await expect(page.getByText('The job was cancelled. Its changes were not saved.')).toBeVisible()
  await expect(progress(page)).toHaveCount(0)
  expect(await countItems(user)).toBe(0)
})

test('the menu counts unfinished jobs, and those that failed since the last visit', async ({
  page,
  user,
}) => {
  await importRows(page, user, [...rows(MANY), ',no title'])
  await page.getByRole('link', { name: 'Items' }).click()
  await expect(menuEntry(page)).toHaveAccessibleName('Jobs: 1 job in progress')
  await expect(menuEntry(page)).toContainText('1')
  await page.getByRole('button', { name: 'Show or hide the main menu' }).click()
  await expect(menuEntry(page)).toHaveAccessibleName('Jobs: 1 job in progress')
  await expect(menuEntry(page)).toHaveAccessibleName('Jobs: 1 job failed', { timeout: 90_000 })
  expect(await violations(page)).toEqual([])
  await page.reload()
  await expect(menuEntry(page)).toHaveAccessibleName('Jobs: 1 job failed')
  await menuEntry(page).click()
  await expect(menuEntry(page)).toHaveAccessibleName('Jobs')
  await page.goto(LIST)
  await expect(page.getByRole('heading', { name: 'Items', level: 1 })).toBeVisible()
  await page.waitForLoadState('networkidle')
  await expect(menuEntry(page)).toHaveAccessibleName('Jobs')
})

test('the progress continues after the connection was lost', async ({ page, context, user }) => {
  await importRows(page, user, rows(MANY))
  const before = await waitForProgress(page)
  await context.setOffline(true)
  await expect(page.getByText('Reconnecting…').first()).toBeVisible()
  expect(await done(page)).toBeLessThan(MANY)
  await context.setOffline(false)
  await expect(page.getByText('Reconnecting…')).toHaveCount(0)
  await expect(page.getByText('150,000 rows imported', { exact: true })).toBeVisible({
    timeout: 60_000,
  })
  expect(before).toBeGreaterThan(0)
})

test('a rejected stream is opened again, and none while the tab is hidden', async ({
  page,
  user,
}) => {
  let requests = 0
  await page.route('**/api/v1/jobs/*/events', (route) => {
    requests += 1
    if (requests > 2) return route.fallback()
    return route.fulfill({ status: 401, json: { code: 'invalid_token', detail: '' } })
  })
  await importRows(page, user, rows(MANY))
  await waitForProgress(page)
  await expect.poll(() => requests).toBe(3)
  const setVisibility = (state: string) =>
    page.evaluate((visibilityState) => {
      Object.defineProperty(document, 'visibilityState', {
        value: visibilityState,
        configurable: true,
      })
      document.dispatchEvent(new Event('visibilitychange'))
    }, state)
  const aborted = page.waitForEvent('requestfailed', (one) => one.url().endsWith('/events'))
  await setVisibility('hidden')
  await aborted
  expect(requests).toBe(3)
  await setVisibility('visible')
  await expect.poll(() => requests).toBe(4)
  await cancelImport(user)
  await expect(page.getByText(/The job was cancelled|^150,000 rows imported$/)).toBeVisible()
  expect(requests).toBe(4)
})

test('two tabs show the same job, and a logout in one ends both', async ({
  page,
  context,
  user,
}) => {
  await importRows(page, user, rows(MANY))
  await waitForProgress(page)
  const other = await context.newPage()
  await other.goto(page.url())
  await waitForProgress(other)
  await other.getByRole('button', { name: /^Account: / }).click()
  await other.getByRole('menuitem', { name: 'Log out' }).click()
  await expect(page).toHaveURL(/\/login/)
  await cancelImport(user)
})

test('a file that is too large or no CSV is rejected before it is sent', async ({
  page,
  user,
}, testInfo) => {
  const large = testInfo.outputPath('large.csv')
  await writeFile(large, 'title\n')
  await truncate(large, 100 * 1024 * 1024 + 1)
  await openAs(page, user, LIST)
  await openMenu(page, 'Import from CSV')
  let requests = 0
  await page.route('**/items/import*', (route) => {
    requests += 1
    return route.fulfill({ status: 413, json: { code: 'content_too_large', detail: '' } })
  })
  await field(page).setInputFiles(large)
  await expect(dialog(page).getByText('Choose a file of at most 100 MiB')).toBeVisible()
  await submit(page)
  await field(page).setInputFiles({ ...file('items.xlsx', []), mimeType: 'application/zip' })
  await expect(dialog(page).getByText('Choose a file whose name ends in .csv')).toBeVisible()
  await submit(page)
  expect(requests).toBe(0)

  // The server has a limit, too.
  await field(page).setInputFiles(file('items.csv', ['title', 'x']))
  await submit(page)
  await expect(dialog(page).getByText('Choose a file of at most 100 MiB')).toBeVisible()
  expect(requests).toBe(1)
})

test('the dialog works by keyboard, and names what it needs', async ({ page, user }) => {
  await page.setViewportSize({ width: 390, height: 844 })
  await openAs(page, user, LIST)
  const button = page.getByRole('button', { name: 'More actions' })
  await button.focus()
  await page.keyboard.press('Enter')
  await expect(page.getByRole('menuitem', { name: 'Import from CSV' })).toBeVisible()
  await page.keyboard.press('ArrowDown')
  await expect(page.getByRole('menuitem', { name: 'Import from CSV' })).toBeFocused()
  await page.keyboard.press('Enter')
  await expect(field(page)).toBeFocused()
  await expect(dialog(page)).toContainText('columns: title (required), description.')
  await expect(dialog(page).getByLabel('Choose a CSV file, or drop it here')).toBeVisible()
  await expectNoOverflow(page)
  expect(await violations(page)).toEqual([])
  await page.keyboard.press('Escape')
  await expect(dialog(page)).toBeHidden()
  await expect(button).toBeFocused()
})

test('the view of a running job is accessible, and fits on a phone', async ({ page, user }) => {
  await importRows(page, user, rows(1))
  const { data } = await jobsReadJobs({ client: user.client, query: { sort: '-id', limit: 1 } })
  const running: Job = { ...data[0]!, state: 'running', progress: 8412, total: 20_000 }
  const { id } = running
  await page.route(`**/api/v1/jobs/${id}`, (route) => route.fulfill({ json: running }))
  await page.route(`**/api/v1/jobs/${id}/events`, (route) =>
    route.fulfill({ contentType: 'text/event-stream', body: '' }),
  )
  await page.setViewportSize({ width: 390, height: 844 })
  await page.reload()
  await expect(page.getByText('8,412 of 20,000')).toBeVisible()
  await expect(page.getByText('42%')).toBeVisible()
  await expect(page.getByText('Running')).toBeVisible()
  await expectNoOverflow(page)
  expect(await violations(page)).toEqual([])
})

test('a job that does not exist is not found', async ({ page, user, superuser }) => {
  await openAs(page, user, '/main/jobs/view/2000000000')
  await expect(page.getByText('Not found. It may have been deleted.')).toBeVisible()
  await page.getByRole('link', { name: 'Jobs' }).last().click()
  await expect(page).toHaveURL('/main/jobs')

  const other = await page.context().browser()!.newPage()
  await importRows(other, superuser, rows(1))
  const id = Number(other.url().split('/').at(-1))
  expect((await jobsReadJob({ client: superuser.client, path: { id } })).data.id).toBe(id)
  await page.goto(`/main/jobs/view/${id}`)
  await expect(page.getByText("You don't have permission for this.")).toBeVisible()
})
