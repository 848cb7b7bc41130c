import type { Page } from '@playwright/test'
import { violations } from './axe'
import { expect, logOut, openAs, openUserMenu, test } from './fixtures'

const menu = (page: Page) => page.getByRole('navigation', { name: 'Menu', exact: true })

async function expectNoOverflow(page: Page): Promise<void> {
  const overflow = await page.evaluate(() => document.body.scrollWidth - window.innerWidth)
  expect(overflow).toBeLessThanOrEqual(0)
}

test('the menu lists the views, and marks the one to which a form belongs', async ({
  page,
  superuser,
}) => {
  await openAs(page, superuser, '/main/admin/users/create')
  // The resources of the project are between these.
  await expect(menu(page).getByRole('link')).toContainText([
    'Dashboard',
    'Jobs',
    'Users',
    'Audit log',
  ])
  await expect(menu(page).locator('[aria-current=page]')).toHaveText('Users')
  await menu(page).getByRole('link', { name: 'Jobs' }).click()
  await expect(menu(page).locator('[aria-current=page]')).toHaveText('Jobs')
})

test('a user sees no views of administrators', async ({ page, user }) => {
  await openAs(page, user)
  await expect(menu(page).getByRole('link', { name: 'Jobs' })).toBeVisible()
  await expect(menu(page).getByRole('link', { name: 'Users' })).toHaveCount(0)
  await page.goto('/main/admin/users/all')
  await expect(page.getByRole('heading', { name: 'No access' })).toBeVisible()
  await expect(menu(page).getByRole('link', { name: 'Jobs' })).toBeVisible()
})

test('the collapsed menu names its entries, and stays collapsed after a reload', async ({
  page,
  user,
}) => {
  await openAs(page, user)
  await page.getByRole('button', { name: 'Show or hide the main menu' }).click()
  await expect(menu(page)).toHaveClass(/--rail/)
  await page.reload()
  await expect(menu(page)).toHaveClass(/--rail/)
  await menu(page).getByRole('link', { name: 'Jobs' }).hover()
  await expect(page.getByRole('tooltip', { name: 'Jobs' })).toBeVisible()
})

test('until the user chooses, the menu is collapsed on a narrow desktop', async ({
  page,
  user,
}) => {
  await page.setViewportSize({ width: 1100, height: 800 })
  await openAs(page, user)
  await expect(menu(page)).toHaveClass(/--rail/)
  expect(await violations(page)).toEqual([])
  await page.setViewportSize({ width: 1280, height: 800 })
  await expect(menu(page)).not.toHaveClass(/--rail/)
  await page.reload()
  await expect(menu(page)).not.toHaveClass(/--rail/)
})

test('the account’s menu shows who is logged in, leads to the settings and logs out', async ({
  page,
  user,
}) => {
  await openAs(page, user)
  await expect(menu(page).getByText(user.email)).toBeVisible()
  await openUserMenu(page)
  await page.getByRole('menuitem', { name: 'Settings' }).click()
  await expect(page).toHaveURL(/\/main\/settings$/)
  await expect(page.getByRole('heading', { name: 'Settings', level: 1 })).toBeVisible()
  await logOut(page)
  await expect(page).toHaveURL(/\/login$/)
})

test('breadcrumbs lead back to the list', async ({ page, superuser }) => {
  await openAs(page, superuser, '/main/admin/users/create')
  const breadcrumbs = page.getByRole('navigation', { name: 'Breadcrumbs' })
  await expect(breadcrumbs.locator('[aria-current=page]')).toHaveText('Create user')
  await breadcrumbs.getByRole('link', { name: 'Users' }).click()
  await expect(page).toHaveURL(/\/main\/admin\/users\/all$/)
  await breadcrumbs.getByRole('link', { name: 'Dashboard' }).click()
  await expect(page).toHaveURL(/\/main\/dashboard$/)
})

test('the skip link is the first stop of the Tab key, and leads to the content', async ({
  page,
  user,
}) => {
  await openAs(page, user)
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
  await page.keyboard.press('Tab')
  const link = page.getByRole('link', { name: 'Skip to content' })
  await expect(link).toBeFocused()
  await expect(link).toBeInViewport()
  await page.keyboard.press('Enter')
  await expect(page.getByRole('main')).toBeFocused()
})

test('Tab reaches each entry of the menu', async ({ page, superuser }) => {
  await openAs(page, superuser)
  const links = menu(page).getByRole('link')
  await expect(links.last()).toHaveText('Audit log')
  await links.first().focus()
  for (const link of (await links.all()).slice(1)) {
    await page.keyboard.press('Tab')
    await expect(link).toBeFocused()
  }
})

test('the focus moves to the heading after a navigation', async ({ page, user }) => {
  await openAs(page, user)
  await menu(page).getByRole('link', { name: 'Jobs' }).click()
  await expect(page.getByRole('heading', { name: 'Jobs', level: 1 })).toBeFocused()
})

test('the next page starts at the top, and Back restores the position', async ({ page, user }) => {
  await page.setViewportSize({ width: 1280, height: 500 })
  await openAs(page, user, '/main/settings')
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
  await page.evaluate(() => window.scrollTo(0, 300))
  const position = () => page.evaluate(() => window.scrollY)
  await expect.poll(position).toBeGreaterThan(200)
  await menu(page).getByRole('link', { name: 'Jobs' }).click()
  await expect(page.getByRole('heading', { name: 'Jobs', level: 1 })).toBeVisible()
  await expect.poll(position).toBe(0)
  await page.goBack()
  await expect.poll(position).toBeGreaterThan(200)
})

test('an unknown path keeps the frame', async ({ page, user }) => {
  await openAs(page, user, '/main/no/such/page')
  await expect(page.getByRole('heading', { name: 'Page not found' })).toBeVisible()
  await expect(page).toHaveTitle(/^Page not found/)
  await expect(menu(page).getByRole('link', { name: 'Jobs' })).toBeVisible()
  await page.getByRole('main').getByRole('link', { name: 'Go to dashboard' }).click()
  await expect(page).toHaveURL(/\/main\/dashboard$/)
})

test('a missing record offers the way to its list', async ({ page, superuser }) => {
  await openAs(page, superuser, '/main/admin/users/edit/2000000000')
  await expect(page.getByText('Not found. It may have been deleted.')).toBeVisible()
  await expect(page.getByRole('button', { name: 'Try again' })).toHaveCount(0)
  await page.getByRole('main').getByRole('link', { name: 'Users' }).click()
  await expect(page).toHaveURL(/\/main\/admin\/users\/all$/)
})

test('without the server, a banner is shown and nothing is taken away', async ({ page, user }) => {
  await openAs(page, user, '/main/settings')
  await page.getByLabel('Full name').fill('Typed before')
  await page.context().setOffline(true)
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  const banner = page.getByRole('alert').filter({ hasText: "We'll reconnect automatically" })
  await expect(banner).toBeVisible()
  await page.getByLabel('Full name').fill('Typed meanwhile')
  await expect(menu(page).getByRole('link', { name: 'Jobs' })).toBeVisible()
  await page.context().setOffline(false)
  await expect(banner).toBeHidden({ timeout: 20_000 })
  await expect(page.getByLabel('Full name')).toHaveValue('Typed meanwhile')
})

test('a password manager finds the view to change the password', async ({ request }) => {
  const found = await request.get('/.well-known/change-password', { maxRedirects: 0 })
  expect(found.status()).toBe(302)
  expect(found.headers().location).toBe('/main/settings#password')
  const missing = await request.get(
    '/.well-known/resource-that-should-not-exist-whose-status-code-should-not-be-200',
  )
  expect(missing.status()).toBe(404)
})

test('a print shows the content alone', async ({ page, superuser }) => {
  await openAs(page, superuser, '/main/admin/users/all')
  await expect(page.getByRole('heading', { name: 'Users', exact: true })).toBeVisible()
  const create = page.getByRole('link', { name: 'Create user' })
  await expect(create).toBeVisible()
  await page.emulateMedia({ media: 'print' })
  await expect(page.getByRole('heading', { name: 'Users', exact: true })).toBeVisible()
  await expect(menu(page)).toBeHidden()
  await expect(page.getByRole('banner')).toBeHidden()
  await expect(create).toBeHidden()
})

test('the chosen theme applies before the scripts are loaded', async ({ page }) => {
  await page.emulateMedia({ colorScheme: 'light' })
  await page.goto('/robots.txt')
  await page.evaluate(() => localStorage.setItem('theme', 'dark'))
  await page.route('**/assets/**', (route) => route.abort())
  await page.goto('/login', { waitUntil: 'commit' })
  await expect(page.locator('html')).toHaveCSS('background-color', 'rgb(18, 19, 25)')
})

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true })

  test('the menu opens over the content, and closes after a choice', async ({
    page,
    superuser,
  }) => {
    await openAs(page, superuser)
    await expect(menu(page)).not.toBeInViewport()
    await page.getByRole('button', { name: 'Show or hide the main menu' }).tap()
    await menu(page).getByRole('link', { name: 'Users' }).tap()
    await expect(page).toHaveURL(/users\/all$/)
    await expect(menu(page)).not.toBeInViewport()
    await expectNoOverflow(page)
  })

  test('the avatar in the bar opens the account’s menu', async ({ page, user }) => {
    await openAs(page, user)
    await openUserMenu(page)
    await expect(page.getByRole('menu').getByText(user.email)).toBeVisible()
    expect(await violations(page)).toEqual([])
    await page.getByRole('menuitemradio', { name: 'Dark' }).tap()
    await expect(page.locator('.v-application')).toHaveClass(/v-theme--dark/)
    await page.getByRole('menuitem', { name: 'Log out' }).tap()
    await expect(page).toHaveURL(/\/login$/)
  })
})
