import type { Page } from '@playwright/test'
import { expect, logOut, openAs, PASSWORD, test } from './fixtures'

const IPHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)' +
  ' Version/26.0 Mobile/15E148 Safari/604.1'

const rowOf = (page: Page, device: string) => page.getByRole('listitem').filter({ hasText: device })
const endedDialog = (page: Page) => page.getByRole('dialog', { name: 'Your session has ended' })

test('users see and end their sessions, and administrators those of others', async ({
  browser,
  page,
  user,
  superuser,
}) => {
  const phone = await (await browser.newContext({ userAgent: IPHONE })).newPage()
  await openAs(phone, user, '/main/profile/edit')
  await phone.getByLabel('Full name').fill('Typed on the phone')
  await openAs(page, user, '/main/profile/view')
  const current = rowOf(page, 'Chrome on Windows')
  await expect(current).toContainText('This session')
  await expect(current).toContainText(/now|ago/)
  await expect(current.getByRole('button')).toHaveCount(0)
  // The fixture has logged in with a user agent that is no browser.
  await expect(rowOf(page, 'node')).not.toContainText('This session')
  await page.setViewportSize({ width: 390, height: 844 })
  expect(await page.evaluate(() => document.body.scrollWidth)).toBeLessThanOrEqual(390)
  await page.setViewportSize({ width: 1280, height: 800 })

  await page.getByRole('button', { name: 'Log out: Safari on iPhone' }).focus()
  await page.keyboard.press('Enter')
  await expect(page.getByText('Logged out: Safari on iPhone')).toBeVisible()
  await expect(rowOf(page, 'Safari on iPhone')).toHaveCount(0)
  await expect(page.getByRole('heading', { name: 'Sessions' })).toBeFocused()
  await phone.getByRole('button', { name: 'Save' }).click()
  await endedDialog(phone).getByLabel('Password', { exact: true }).fill(PASSWORD)
  await endedDialog(phone).getByRole('button', { name: 'Log in' }).click()
  await expect(phone.getByText('Profile saved')).toBeVisible()

  // An error keeps the session. One that has already ended is no error.
  await page.reload()
  const button = page.getByRole('button', { name: 'Log out: Safari on iPhone' })
  const json = { detail: 'x', code: 'internal_error' }
  await page.route('**/sessions/*', (route) => route.fulfill({ status: 500, json }), { times: 1 })
  await button.click()
  await expect(page.getByText('Something went wrong on the server.')).toBeVisible()
  await logOut(phone)
  await expect(phone.getByRole('button', { name: 'Log in' })).toBeVisible()
  await button.click()
  await expect(button).toHaveCount(0)
  await expect(page.getByText('Not found')).toHaveCount(0)

  await page.getByRole('button', { name: 'Log out everywhere else' }).click()
  await expect(page.getByText('Logged out everywhere else')).toBeVisible()
  await expect(page.getByRole('button', { name: 'Log out everywhere else' })).toHaveCount(0)
  await expect(rowOf(page, 'node')).toHaveCount(0)
  await expect(current).toBeVisible()

  const admin = await (await browser.newContext()).newPage()
  await openAs(admin, superuser, `/main/admin/users/edit/${user.id}`)
  await admin.getByLabel('Full name').fill('Not saved')
  await admin.getByRole('button', { name: 'Log out everywhere' }).click()
  await expect(admin.getByText('User logged out everywhere')).toBeVisible()
  await admin.getByRole('link', { name: 'Dashboard' }).first().click()
  await admin.getByRole('button', { name: 'Discard' }).click()
  await page.getByRole('link', { name: 'Jobs', exact: true }).click()
  await expect(endedDialog(page)).toBeVisible()
  await admin.goto(`/main/admin/users/edit/${superuser.id}`)
  await expect(admin.getByLabel('Email')).toHaveValue(superuser.email)
  await expect(admin.getByRole('button', { name: 'Log out everywhere' })).toHaveCount(0)
})
