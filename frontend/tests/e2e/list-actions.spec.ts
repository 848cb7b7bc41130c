import type { Locator, Page } from '@playwright/test'
import type { ApiError } from '../../src/api'
import { type Account, expect, hold, openAs, test } from './fixtures'
import { createRow, readRow } from './rows'

const PATH = '/main/items/all'
const ITEMS = '**/api/v1/items/?*'

const row = (page: Page, title: string): Locator =>
  page.locator('[data-row]').filter({ hasText: title })

async function remove(page: Page, title: string): Promise<void> {
  await page.getByRole('button', { name: `Actions: ${title}`, exact: true }).click()
  await page.getByRole('menuitem', { name: 'Delete' }).click()
}

/** Returns whether the item is in the database. */
const exists = ({ client }: Account, id: number): Promise<boolean> =>
  readRow(client, id).then(
    () => true,
    (error: unknown) => (error as ApiError).code !== 'not_found',
  )

for (const width of [1280, 390]) {
  test.describe(`at ${width} pixels`, () => {
    test.use({ viewport: { width, height: 800 } })

    test('a deletion can be undone', async ({ page, user }) => {
      const item = await createRow(user.client, { title: 'Kept' })
      await openAs(page, user, PATH)
      await remove(page, 'Kept')
      await expect(row(page, 'Kept')).toHaveCount(0)
      await page.getByRole('button', { name: 'Undo' }).click()
      await expect(row(page, 'Kept')).toBeVisible()
      await expect(page.getByRole('button', { name: 'Actions: Kept' })).toBeFocused()
      await page.waitForTimeout(6_000)
      expect(await exists(user, item.id)).toBe(true)
    })

    test('the title opens the record, and rows have one line', async ({ page, user }) => {
      const long = 'W'.repeat(255)
      await createRow(user.client, { title: '<b>x</b> 😀 مرحبا', description: long })
      await createRow(user.client, { title: long })
      await openAs(page, user, PATH)
      await expect(page.locator('[data-row]')).toHaveCount(2)
      for (const one of await page.locator('[data-row]').all()) {
        expect((await one.boundingBox())!.height).toBeLessThanOrEqual(width < 960 ? 88 : 45)
      }
      const overflow = await page.evaluate(() => document.body.scrollWidth - window.innerWidth)
      expect(overflow).toBeLessThanOrEqual(0)
      await page.getByRole('link', { name: '<b>x</b> 😀 مرحبا' }).click()
      await expect(page.getByLabel('Title')).toHaveValue('<b>x</b> 😀 مرحبا')
    })

    test('an error appears beside the rows', async ({ page, user }) => {
      await createRow(user.client, { title: 'Shown before' })
      await openAs(page, user, PATH)
      await expect(row(page, 'Shown before')).toBeVisible()
      await page.route(ITEMS, (route) => route.fulfill({ status: 500, json: {} }))
      await page.getByRole('searchbox').fill('x')
      await expect(page.getByRole('alert')).toContainText("Couldn't load the list")
      await expect(row(page, 'Shown before')).toBeVisible()
      await page.unroute(ITEMS)
      await page.getByRole('button', { name: 'Try again' }).click()
      await expect(page.getByText('Nothing matches “x”.')).toBeVisible()
      await page.getByRole('status').getByRole('button', { name: 'Clear' }).click()
      await expect(row(page, 'Shown before')).toBeVisible()
    })

    test('the first load does not move the page', async ({ page, user }) => {
      await createRow(user.client)
      const release = await hold(page, ITEMS, 'GET')
      await page.addInitScript(() => {
        Object.assign(window, { shifts: 0 })
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries()) {
            const { value } = entry as unknown as { value: number }
            ;(window as unknown as { shifts: number }).shifts += value
          }
        }).observe({ type: 'layout-shift', buffered: true })
      })
      await openAs(page, user, PATH)
      await expect(page.locator('.bone').first()).toBeVisible()
      await page.waitForTimeout(1_000)
      const before = await page.evaluate(() => (window as unknown as { shifts: number }).shifts)
      release()
      await expect(row(page, 'Title')).toBeVisible()
      await page.waitForTimeout(500)
      const after = await page.evaluate(() => (window as unknown as { shifts: number }).shifts)
      expect(after - before).toBeLessThanOrEqual(0.02)
    })
  })
}

test('a deletion is sent when its notification closes', async ({ page, user }) => {
  const [next, item] = [
    await createRow(user.client, { title: 'Next' }),
    await createRow(user.client),
  ]
  await openAs(page, user, PATH)
  await remove(page, 'Title')
  await expect(page.getByRole('button', { name: 'Actions: Next' })).toBeFocused()
  expect(await exists(user, item.id)).toBe(true)
  await expect.poll(() => exists(user, item.id), { timeout: 15_000 }).toBe(false)
  expect(await exists(user, next.id)).toBe(true)
  await expect(row(page, 'Title')).toHaveCount(0)
})

test('another deletion sends the previous one', async ({ page, user }) => {
  const [first, second] = [
    await createRow(user.client, { title: 'First' }),
    await createRow(user.client, { title: 'Second' }),
  ]
  await openAs(page, user, PATH)
  await remove(page, 'First')
  await remove(page, 'Second')
  await expect.poll(() => exists(user, first.id), { timeout: 4_000 }).toBe(false)
  expect(await exists(user, second.id)).toBe(true)
  await page.getByRole('button', { name: 'Undo' }).click()
  await expect(row(page, 'Second')).toBeVisible()
})

for (const [what, leave] of [
  ['closing the page', (page: Page) => page.close()],
  ['leaving the web app', (page: Page) => page.goto('about:blank')],
] as const) {
  test(`${what} sends a deletion`, async ({ page, user }) => {
    const item = await createRow(user.client)
    await openAs(page, user, PATH)
    await remove(page, 'Title')
    await expect(page.getByText('Item deleted')).toBeVisible()
    await leave(page)
    await expect.poll(() => exists(user, item.id), { timeout: 4_000 }).toBe(false)
  })
}

test('logging out sends a deletion', async ({ page, user }) => {
  const item = await createRow(user.client)
  await openAs(page, user, PATH)
  await remove(page, 'Title')
  await page.getByRole('button', { name: user.email }).click()
  await page.getByRole('menuitem', { name: 'Log out' }).click()
  await expect(page).toHaveURL(/login/)
  expect(await exists(user, item.id)).toBe(false)
})

test('a deletion that fails puts the row back and says why', async ({ page, user }) => {
  await createRow(user.client)
  await page.route('**/api/v1/items/*', (route) =>
    route.request().method() === 'DELETE'
      ? route.fulfill({ status: 409, json: { code: 'still_referenced', detail: 'x' } })
      : route.fallback(),
  )
  await openAs(page, user, PATH)
  await remove(page, 'Title')
  await expect(page.getByText('No items yet')).toBeVisible()
  await page.getByRole('button', { name: 'Close' }).click()
  await expect(page.getByText('Other data requires this. Delete that data first.')).toBeVisible()
  await expect(row(page, 'Title')).toBeVisible()
})

test('the page size is remembered', async ({ page, user }) => {
  await createRow(user.client)
  await openAs(page, user, PATH)
  await page.getByLabel('Rows per page').selectOption('25')
  await expect(page).toHaveURL(/limit=25$/)
  await page.goto('/main/jobs')
  await page.goto(PATH)
  await expect(page.getByLabel('Rows per page')).toHaveValue('25')
})

test('a slash focuses the search, and Escape closes a menu', async ({ page, user }) => {
  await createRow(user.client)
  await openAs(page, user, PATH)
  const button = page.getByRole('button', { name: 'Actions: Title' })
  await button.focus()
  await page.keyboard.press('Enter')
  await expect(page.getByRole('menuitem', { name: 'Edit' })).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(page.getByRole('menuitem', { name: 'Edit' })).toBeHidden()
  await expect(button).toBeFocused()
  await page.keyboard.press('/')
  await expect(page.getByRole('searchbox')).toBeFocused()
  await page.keyboard.type('a/b')
  await expect(page.getByRole('searchbox')).toHaveValue('a/b')
})

test('a filter is in the address and can be cleared', async ({ page, user }) => {
  await createRow(user.client)
  await openAs(page, user, PATH)
  await page.getByRole('button', { name: 'Created', exact: true }).first().click()
  await page.getByRole('menuitemradio', { name: 'Last 7 days' }).click()
  await expect(page).toHaveURL(/\?created=week$/)
  const request = page.waitForRequest(ITEMS)
  await page.reload()
  expect((await request).url()).toContain('created_since=')
  await expect(page.getByRole('button', { name: 'Created Last 7 days' })).toBeVisible()
  await page.getByRole('button', { name: 'Clear filter: Created' }).click()
  await expect(page).toHaveURL(new RegExp(`${PATH}$`))
})

test('on a phone, the sheet sorts', async ({ page, user }) => {
  await page.setViewportSize({ width: 390, height: 844 })
  for (const title of ['b', 'c', 'a']) await createRow(user.client, { title })
  await openAs(page, user, PATH)
  const titles = page.locator('[data-row]').getByRole('link')
  await expect(titles).toHaveText(['a', 'c', 'b'])
  await page.getByRole('button', { name: 'Sort and filter' }).click()
  await page.getByRole('button', { name: 'Oldest first' }).click()
  await expect(page).toHaveURL(/sort=created_at$/)
  await page.getByRole('button', { name: 'Show 3 results' }).click()
  await expect(titles).toHaveText(['b', 'c', 'a'])
  await expect(page.getByRole('button', { name: 'Sort and filter' })).toBeFocused()
})
