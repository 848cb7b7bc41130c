import type { Locator, Page } from '@playwright/test'
import { createUsers, expect, hold, openAs, test } from './fixtures'

const USERS = '**/api/v1/users/?*'

const row = (page: Page, name: string): Locator =>
  page.locator('[data-row]').filter({ hasText: name })

for (const width of [1280, 390]) {
  test.describe(`at ${width} pixels`, () => {
    test.use({ viewport: { width, height: 800 } })

    test('the title opens the record, and rows have one line', async ({ page, superuser }) => {
      const { list } = await createUsers(superuser, ['<b>x</b> 😀 مرحبا', 'W'.repeat(255)])
      await openAs(page, superuser, list)
      await expect(page.locator('[data-row]')).toHaveCount(2)
      for (const one of await page.locator('[data-row]').all()) {
        expect((await one.boundingBox())!.height).toBeLessThanOrEqual(width < 960 ? 88 : 45)
      }
      const overflow = await page.evaluate(() => document.body.scrollWidth - window.innerWidth)
      expect(overflow).toBeLessThanOrEqual(0)
      await page.getByRole('link', { name: '<b>x</b> 😀 مرحبا' }).click()
      await expect(page.getByLabel('Full name')).toHaveValue('<b>x</b> 😀 مرحبا')
    })

    test('an error appears beside the rows', async ({ page, superuser }) => {
      const { list } = await createUsers(superuser, ['Shown before'])
      await openAs(page, superuser, list)
      await expect(row(page, 'Shown before')).toBeVisible()
      await page.route(USERS, (route) => route.fulfill({ status: 500, json: {} }))
      await page.getByRole('searchbox').fill('no such user')
      await expect(page.getByRole('alert')).toContainText("Couldn't load the list")
      await expect(row(page, 'Shown before')).toBeVisible()
      await page.unroute(USERS)
      await page.getByRole('button', { name: 'Try again' }).click()
      await expect(page.getByText('Nothing matches “no such user”.')).toBeVisible()
      await page.getByRole('status').getByRole('button', { name: 'Clear' }).click()
      await expect(page).toHaveURL('/main/admin/users/all')
      await expect(page.locator('[data-row]').first()).toBeVisible()
    })

    test('the first load does not move the page', async ({ page, superuser }) => {
      const { list } = await createUsers(superuser, ['The only one'])
      const release = await hold(page, USERS, 'GET')
      await page.addInitScript(() => {
        Object.assign(window, { shifts: 0 })
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries()) {
            const { value } = entry as unknown as { value: number }
            ;(window as unknown as { shifts: number }).shifts += value
          }
        }).observe({ type: 'layout-shift', buffered: true })
      })
      await openAs(page, superuser, list)
      await expect(page.locator('.bone').first()).toBeVisible()
      await page.waitForTimeout(1_000)
      const before = await page.evaluate(() => (window as unknown as { shifts: number }).shifts)
      release()
      await expect(row(page, 'The only one')).toBeVisible()
      await page.waitForTimeout(500)
      const after = await page.evaluate(() => (window as unknown as { shifts: number }).shifts)
      expect(after - before).toBeLessThanOrEqual(0.02)
    })
  })
}

test('the page size is remembered', async ({ page, superuser }) => {
  const { list } = await createUsers(superuser, ['The only one'])
  await openAs(page, superuser, list)
  await page.getByLabel('Rows per page').selectOption('25')
  await expect(page).toHaveURL(/\?limit=25&q=/)
  await page.goto('/main/jobs')
  await page.goto(list)
  await expect(page.getByLabel('Rows per page')).toHaveValue('25')
})

test('a slash focuses the search, and Escape closes a menu', async ({ page, superuser }) => {
  const { list } = await createUsers(superuser, ['The only one'])
  await openAs(page, superuser, list)
  const button = page.getByRole('button', { name: 'Actions: The only one' })
  await button.focus()
  await page.keyboard.press('Enter')
  await expect(page.getByRole('menuitem', { name: 'Edit' })).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(page.getByRole('menuitem', { name: 'Edit' })).toBeHidden()
  await expect(button).toBeFocused()
  await page.keyboard.press('/')
  await expect(page.getByRole('searchbox')).toBeFocused()
  await page.keyboard.press('Control+A')
  await page.keyboard.type('a/b')
  await expect(page.getByRole('searchbox')).toHaveValue('a/b')
})

test('a filter is in the address and can be cleared', async ({ page, superuser }) => {
  const { list } = await createUsers(superuser, ['The only one'])
  await openAs(page, superuser, list)
  await expect(row(page, 'The only one')).toBeVisible()
  await page.getByRole('button', { name: 'Status', exact: true }).first().click()
  await page.getByRole('menuitemradio', { name: 'Inactive' }).click()
  await expect(page).toHaveURL(`${list}&status=inactive`)
  await expect(row(page, 'The only one')).toHaveCount(0)
  const request = page.waitForRequest(USERS)
  await page.reload()
  expect((await request).url()).toContain('is_active=false')
  await expect(page.getByRole('button', { name: 'Status Inactive' })).toBeVisible()
  await page.getByRole('button', { name: 'Clear filter: Status' }).click()
  await expect(page).toHaveURL(list)
  await expect(row(page, 'The only one')).toBeVisible()
})

test('on a phone, the sheet sorts', async ({ page, superuser }) => {
  await page.setViewportSize({ width: 390, height: 844 })
  const { list } = await createUsers(superuser, ['b', 'c', 'a'])
  await openAs(page, superuser, list)
  const titles = page.locator('[data-row]').getByRole('link')
  await expect(titles).toHaveText(['a', 'c', 'b'])
  await page.getByRole('button', { name: 'Sort and filter' }).click()
  await page.getByRole('button', { name: 'Oldest first' }).click()
  await expect(page).toHaveURL(/\?sort=created_at&q=/)
  await page.getByRole('combobox', { name: 'Sort by' }).press('Space')
  await page.getByRole('option', { name: 'Name' }).click()
  await expect(page).toHaveURL(/\?sort=full_name&q=/)
  await page.getByRole('button', { name: 'Show 3 results' }).click()
  await expect(titles).toHaveText(['a', 'b', 'c'])
  await expect(page.getByRole('button', { name: 'Sort and filter' })).toBeFocused()
})
