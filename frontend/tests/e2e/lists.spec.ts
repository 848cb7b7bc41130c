import type { Page } from '@playwright/test'
import { usersUpdateUser } from '../../src/client'
import { createUsers, expect, hold, openAs, test } from './fixtures'

const rowOf = (page: Page, text: string) => page.getByRole('row').filter({ hasText: text })
const openMenu = (page: Page, title: string) =>
  page.getByRole('button', { name: `Actions: ${title}`, exact: true }).click()

const numbered = (count: number) =>
  Array.from({ length: count }, (_, place) => `User ${String(place + 1).padStart(2, '0')}`)

test('the page is kept in the URL, for reload and Back', async ({ page, superuser }) => {
  const { list } = await createUsers(superuser, numbered(12))
  await openAs(page, superuser, list)
  await expect(page.getByText('1–10 of 12')).toBeVisible()
  await page.getByRole('button', { name: 'Next page' }).click()
  await expect(page).toHaveURL(/\?page=2&/)
  await expect(page.getByText('11–12 of 12')).toBeVisible()
  await page.reload()
  await expect(page.getByRole('link', { name: 'User 01', exact: true })).toBeVisible()
  await page.goBack()
  await expect(page.getByText('1–10 of 12')).toBeVisible()
  await expect(page.getByRole('link', { name: 'User 12', exact: true })).toBeVisible()
})

test('a list keeps its page and order after an edit', async ({ page, superuser }) => {
  const { users, list } = await createUsers(superuser, numbered(12))
  const edit = rowOf(page, users[1]!.email).getByRole('link')
  await openAs(page, superuser, `${list}&page=2&sort=-full_name`)
  await edit.click()
  await page.getByRole('button', { name: 'Cancel' }).click()
  await expect(page).toHaveURL(/page=2&sort=-full_name$/)
  await edit.click()
  await page.getByLabel('Full name').fill('User 00')
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page).toHaveURL(/page=2&sort=-full_name$/)
  await expect(page.getByRole('link', { name: 'User 00', exact: true })).toBeVisible()
})

test('a form never shows another record', async ({ page, superuser }) => {
  const { users, list } = await createUsers(superuser, ['First', 'Second'])
  await openAs(page, superuser, list)
  await rowOf(page, users[0]!.email).getByRole('link').click()
  await expect(page.getByLabel('Full name')).toHaveValue('First')
  await page.getByRole('link', { name: 'Users', exact: true }).first().click()
  await page.getByRole('searchbox').fill(users[1]!.email)
  await rowOf(page, users[1]!.email).getByRole('link').click()
  await expect(page.getByLabel('Full name')).toHaveValue('Second')
  // Go from one form to the other, skipping the list.
  await page.evaluate(() => history.go(-2))
  await expect(page.getByLabel('Full name')).toHaveValue('First')
})

test('a form shows changes made elsewhere', async ({ page, superuser }) => {
  const { users, list } = await createUsers(superuser, ['Before'])
  const { id, email } = users[0]!
  await openAs(page, superuser, list)
  await rowOf(page, email).getByRole('link').click()
  await expect(page.getByLabel('Full name')).toHaveValue('Before')
  await page.getByRole('button', { name: 'Cancel' }).click()
  const body = { full_name: 'After', is_superuser: true }
  await usersUpdateUser({ client: superuser.client, path: { user_id: id }, body })
  await rowOf(page, email).getByRole('link').click()
  await expect(page.getByLabel('Full name')).toHaveValue('After')
  await expect(page.getByLabel('Superuser')).toBeChecked()
})

test('columns sort in both directions', async ({ page, superuser }) => {
  const { list } = await createUsers(superuser, ['b', 'c', 'a'])
  await openAs(page, superuser, list)
  const header = page.getByRole('columnheader', { name: 'Name' })
  const first = page.getByRole('row').nth(1)
  const has = (name: string) => expect(first.getByRole('link', { name, exact: true })).toBeVisible()
  await has('a') // The newest.
  await header.getByRole('button').click()
  await expect(page).toHaveURL(/sort=full_name&/)
  await has('a')
  await header.getByRole('button').click()
  await expect(page).toHaveURL(/sort=-full_name&/)
  await has('c')
})

test('changing the order or the page size shows the first page', async ({ page, superuser }) => {
  const { list } = await createUsers(superuser, numbered(12))
  await openAs(page, superuser, `${list}&page=2`)
  await page.getByRole('button', { name: 'Name', exact: true }).click()
  await expect(page).toHaveURL(/all\?sort=full_name&q=/)
  await expect(page.getByText('1–10 of 12')).toBeVisible()
  await page.getByRole('button', { name: 'Next page' }).click()
  await expect(page.getByText('11–12 of 12')).toBeVisible()
  await page.getByLabel('Rows per page').selectOption('25')
  await expect(page).toHaveURL(/all\?limit=25&sort=full_name&q=/)
  await expect(page.getByText('1–12 of 12')).toBeVisible()
})

test('Back skips a page that no longer exists', async ({ page, superuser }) => {
  const { list } = await createUsers(superuser, ['The only one'])
  await openAs(page, superuser)
  await expect(page.getByText('Welcome')).toBeVisible()
  await page.goto(`${list}&page=999`)
  await expect(page.getByText('1–1 of 1')).toBeVisible()
  await expect(page).toHaveURL(list)
  await page.goBack()
  await expect(page).toHaveURL(/dashboard$/)
})

test('leaving a list cancels a pending search', async ({ page, superuser }) => {
  await openAs(page, superuser, '/main/admin/users/all')
  await expect(page.getByRole('cell').first()).toBeVisible()
  await page.getByRole('searchbox').fill('word')
  const release = await hold(page, '**/assets/Jobs-*.js', 'GET')
  await page.getByRole('link', { name: 'Jobs' }).click()
  // Longer than the delay before a search starts.
  await page.waitForTimeout(500)
  release()
  await expect(page.getByRole('heading', { name: 'Jobs' })).toBeVisible()
  await expect(page).toHaveURL(/jobs$/)
})

test('a search matches substrings, and an empty result is reported', async ({
  page,
  superuser,
}) => {
  const { list, users } = await createUsers(superuser, ['Apple', 'Apricot', 'Banana'])
  const group = users[0]!.email.replace(/^1\./, '')
  await openAs(page, superuser, list)
  const row = (name: string) => page.getByRole('link', { name, exact: true })
  const search = page.getByRole('searchbox')
  await expect(row('Banana')).toBeVisible()
  await search.fill(`2.${group}`.toUpperCase())
  await expect(row('Banana')).toHaveCount(0)
  await expect(row('Apricot')).toBeVisible()
  await expect(page).toHaveURL(new RegExp(`q=2.${group}`, 'i'))
  await search.fill('100%_')
  await expect(page.getByText('Nothing matches “100%_”.')).toBeVisible()
  await search.fill(group)
  await expect(row('Banana')).toBeVisible()
})

test('deleting the last row of a page shows the previous page', async ({ page, superuser }) => {
  const { list } = await createUsers(superuser, numbered(11))
  await openAs(page, superuser, `${list}&page=2`)
  await openMenu(page, 'User 01')
  await page.getByRole('menuitem', { name: 'Delete' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  await expect(page.getByText('User deleted')).toBeVisible()
  await expect(page.getByText('1–10 of 10')).toBeVisible()
})

test('user data is shown as text and never executed', async ({ page, superuser }) => {
  const odd = [
    '<img src=x onerror="document.title=1"><script>document.title=2</script>',
    '{{ constructor.constructor("document.title=3")() }}',
    '😀 👩‍👩‍👧‍👦 e\u0301',
    'مرحبا بالعالم',
    'W'.repeat(255),
  ]
  const { users, list } = await createUsers(superuser, odd)
  await openAs(page, superuser, list)
  for (const name of odd) await expect(page.getByText(name, { exact: true })).toBeVisible()
  await rowOf(page, users[0]!.email).getByRole('link').click()
  await expect(page.getByLabel('Full name')).toHaveValue(odd[0]!)
  await expect(page).toHaveTitle(/^<img src=x/)
  const overflow = await page.evaluate(() => document.body.scrollWidth - window.innerWidth)
  expect(overflow).toBeLessThanOrEqual(0)
})

test('a record that failed to load can be retried', async ({ page, superuser }) => {
  const record = '**/api/v1/users/2000000000'
  await page.route(record, (route) => route.fulfill({ status: 500, json: {} }))
  await openAs(page, superuser, '/main/admin/users/edit/2000000000')
  const retry = page.getByRole('button', { name: 'Try again' })
  await expect(retry).toBeVisible()
  await page.unroute(record)
  await retry.click()
  await expect(page.getByText('Not found. It may have been deleted.')).toBeVisible()
  await expect(page.getByRole('button', { name: 'Save' })).toHaveCount(0)
})
