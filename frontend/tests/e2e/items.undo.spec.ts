import type { Locator, Page } from '@playwright/test'
import type { ApiError } from '../../src/api'
import { itemsReadItem } from '../../src/client'
import { type Account, expect, openAs, test } from './fixtures'
import { createItem } from './records/items'

const PATH = '/main/items/all'

const row = (page: Page, title: string): Locator =>
  page.locator('[data-row]').filter({ hasText: title })

async function remove(page: Page, title: string): Promise<void> {
  await page.getByRole('button', { name: `Actions: ${title}`, exact: true }).click()
  await page.getByRole('menuitem', { name: 'Delete' }).click()
}

/** Returns whether the item is in the database. */
const exists = ({ client }: Account, id: number): Promise<boolean> =>
  itemsReadItem({ client, path: { id } }).then(
    () => true,
    (error: unknown) => (error as ApiError).code !== 'not_found',
  )

for (const width of [1280, 390]) {
  test.describe(`at ${width} pixels`, () => {
    test.use({ viewport: { width, height: 800 } })

    test('a deletion can be undone', async ({ page, user }) => {
      const item = await createItem(user.client, { title: 'Kept' })
      await openAs(page, user, PATH)
      await remove(page, 'Kept')
      await expect(row(page, 'Kept')).toHaveCount(0)
      await page.getByRole('button', { name: 'Undo' }).click()
      await expect(row(page, 'Kept')).toBeVisible()
      await expect(page.getByRole('button', { name: 'Actions: Kept' })).toBeFocused()
      await page.waitForTimeout(6_000)
      expect(await exists(user, item.id)).toBe(true)
    })

    test('a deletion from the form can be undone', async ({ page, user }) => {
      const { id } = await createItem(user.client, { title: 'Stored' })
      await openAs(page, user, `/main/items/edit/${id}`)
      await expect(page.getByLabel('Title')).toBeFocused()
      await page.getByRole('button', { name: 'Delete' }).click()
      await expect(page).toHaveURL(PATH)
      await expect(page.getByText('Item deleted')).toBeVisible()
      await expect(page.getByText('Stored')).toHaveCount(0)
      await page.getByRole('button', { name: 'Undo' }).click()
      await expect(page.getByText('Stored')).toBeVisible()
      expect(await exists(user, id)).toBe(true)
    })
  })
}

test('a deletion is sent when its notification closes', async ({ page, user }) => {
  const [next, item] = [
    await createItem(user.client, { title: 'Next' }),
    await createItem(user.client),
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
    await createItem(user.client, { title: 'First' }),
    await createItem(user.client, { title: 'Second' }),
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
    const item = await createItem(user.client)
    await openAs(page, user, PATH)
    await remove(page, 'Title')
    await expect(page.getByText('Item deleted')).toBeVisible()
    await leave(page)
    await expect.poll(() => exists(user, item.id), { timeout: 4_000 }).toBe(false)
  })
}

test('logging out sends a deletion', async ({ page, user }) => {
  const item = await createItem(user.client)
  await openAs(page, user, PATH)
  await remove(page, 'Title')
  await page.getByRole('button', { name: user.email }).click()
  await page.getByRole('menuitem', { name: 'Log out' }).click()
  await expect(page).toHaveURL(/login/)
  expect(await exists(user, item.id)).toBe(false)
})

test('a deletion that fails puts the row back and says why', async ({ page, user }) => {
  await createItem(user.client)
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
