import { violations } from './axe'
import { createAccount, expect, openAs, openUserMenu, test } from './fixtures'

const PUBLIC_PATHS = [
  '/login',
  '/sign-up',
  '/recover-password',
  '/reset-password?token=x',
  '/verify-email#token=x',
  '/nothing',
]
const MAIN_PATHS = [
  '/main/dashboard',
  '/main/jobs',
  '/main/settings',
  '/main/admin/users/all',
  '/main/admin/users/create',
  '/main/admin/audit',
]

const PLACES = [
  { language: 'en', locale: 'en-US', viewport: { width: 1280, height: 800 } },
  { language: 'ru', locale: 'ru-RU', viewport: { width: 390, height: 844 } },
] as const

for (const { language, locale, viewport } of PLACES) {
  test.describe(`${viewport.width} px, ${language}`, () => {
    test.use({ locale, viewport })

    for (const path of [...PUBLIC_PATHS, ...MAIN_PATHS]) {
      test(`${path} is accessible`, async ({ page }) => {
        if (MAIN_PATHS.includes(path)) {
          await openAs(page, await createAccount({ is_superuser: true, language }), path)
        } else await page.goto(path)
        await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
        await expect(page.locator('html')).toHaveAttribute('lang', language)
        await page.waitForLoadState('networkidle')
        expect(await violations(page)).toEqual([])
      })
    }
  })
}

test('every view fits into 320 px, as at a zoom of 400 %', async ({ page }) => {
  await page.setViewportSize({ width: 320, height: 256 })
  const superuser = await createAccount({ is_superuser: true, full_name: 'x'.repeat(255) })
  await openAs(page, superuser)
  for (const path of [...MAIN_PATHS, ...PUBLIC_PATHS.slice(1)]) {
    await page.goto(path)
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
    await page.waitForLoadState('networkidle')
    const hidden = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    expect(hidden, `${path}: hidden pixels`).toBeLessThanOrEqual(0)
  }
})

test('a dialog with an error is accessible', async ({ page, superuser }) => {
  await openAs(page, superuser, '/main/settings')
  await page.getByRole('button', { name: 'Delete my account' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Current password').fill('wrong')
  await dialog.getByRole('button', { name: 'Delete' }).click()
  await expect(dialog.getByText('Incorrect password')).toBeVisible()
  expect(await violations(page)).toEqual([])
})

test('the web app without a backend is accessible', async ({ page }) => {
  await page.route('**/api/**', (route) => route.abort())
  await page.goto('/login')
  await expect(page.getByRole('alert')).toContainText("We'll reconnect automatically")
  expect(await violations(page)).toEqual([])
})

test('the menus and a notification are accessible', async ({ page, superuser }) => {
  await page.goto('/login')
  await page.getByRole('button', { name: /Language and theme$/ }).click()
  await expect(page.getByRole('menuitemradio', { name: 'Русский' })).toBeVisible()
  expect(await violations(page)).toEqual([])
  await openAs(page, superuser, '/main/settings')
  await page.getByRole('button', { name: 'Save' }).first().click()
  await expect(page.getByText('Profile saved')).toBeVisible()
  await openUserMenu(page)
  await expect(page.getByRole('menuitem', { name: 'Log out' })).toBeVisible()
  expect(await violations(page)).toEqual([])
})
