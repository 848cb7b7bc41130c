import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { BrowserContext, Page } from '@playwright/test'
import { loginRecoverPassword, usersEndUserSessions } from '../../src/client'
import {
  type Account,
  createAccount,
  expect,
  fillLogin,
  hold,
  linkInMail,
  loginAsFirstSuperuser,
  logOut,
  openAs,
  PASSWORD,
  pathOfLink,
  test,
} from './fixtures'

const welcome = (page: Page, { email }: Account) => page.getByText(`Welcome, ${email}`)

/** Ends all sessions of the user, as an administrator. */
async function endSessions({ id }: Account): Promise<void> {
  const { client } = await loginAsFirstSuperuser()
  await usersEndUserSessions({ client, path: { user_id: id } })
}

/** Counts the requests for a new access token by all pages of the context. */
function countRefreshes(context: BrowserContext): () => number {
  let count = 0
  context.on('request', (request) => (count += Number(request.url().endsWith('/login/refresh'))))
  return () => count
}

test('a new tab and a bookmark stay logged in, and logging out logs out all tabs', async ({
  context,
  page,
  user,
}) => {
  await page.goto('/login')
  await fillLogin(page, user.email, PASSWORD)
  await expect(welcome(page, user)).toBeVisible()
  await page.reload()
  await expect(welcome(page, user)).toBeVisible()

  const bookmark = await context.newPage()
  await bookmark.goto('/main/profile/edit')
  await expect(bookmark.getByLabel('Email')).toHaveValue(user.email)
  const start = await context.newPage()
  await start.goto('/login')
  await expect(welcome(start, user)).toBeVisible()

  await logOut(start)
  for (const tab of [start, page, bookmark]) {
    await expect(tab.getByRole('button', { name: 'Log in' })).toBeVisible()
    await expect(tab.getByText(user.email)).toHaveCount(0)
  }
  await page.goBack()
  await expect(page.getByRole('button', { name: 'Log in' })).toBeVisible()
  await page.goto('/main/dashboard')
  await expect(page.getByRole('button', { name: 'Log in' })).toBeVisible()
})

test('scripts can read neither the cookie nor a stored token', async ({ page, context, user }) => {
  await openAs(page, user)
  await expect(welcome(page, user)).toBeVisible()
  const readable = await page.evaluate(() =>
    JSON.stringify([document.cookie, localStorage, sessionStorage]),
  )
  const [cookie] = await context.cookies(new URL('/api/v1/login', page.url()).href)
  expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict', path: '/api/v1/login' })
  expect(readable).not.toContain('eyJ')
})

for (const locks of ['with locks', 'without locks, as over plain HTTP']) {
  test(`tabs share one refresh, and typed text is kept, ${locks}`, async ({
    context,
    page,
    user,
  }) => {
    if (!locks.startsWith('with ')) {
      await context.addInitScript(() => delete (Navigator.prototype as { locks?: unknown }).locks)
    }
    const tabs = [page, await context.newPage(), await context.newPage()]
    const refreshes = countRefreshes(context)
    for (const tab of tabs) {
      await (tab === page
        ? openAs(tab, user, '/main/profile/edit')
        : tab.goto('/main/profile/edit'))
      await tab.getByLabel('Full name').fill('Typed before')
    }
    const before = refreshes()
    // The first request of each tab with the old token is rejected, as if the token had expired.
    const expired = new Set<Page>()
    for (const tab of tabs) {
      await tab.route('**/api/v1/users/me', (route) => {
        if (expired.has(tab)) return route.fallback()
        expired.add(tab)
        const json = { detail: 'x', code: 'invalid_token' }
        return route.fulfill({ status: 401, json })
      })
    }
    // Slow, so that all tabs need a token before the first one has it.
    await context.route('**/login/refresh', async (route) => {
      await page.waitForTimeout(2_000)
      await route.continue()
    })
    await Promise.all(tabs.map((tab) => tab.getByRole('button', { name: 'Save' }).click()))
    for (const tab of tabs) await expect(tab.getByText('Profile saved')).toBeVisible()
    expect(expired.size).toBe(3)
    expect(refreshes() - before).toBe(1)
  })
}

test('when the session ends under a form, the password is asked and the form is saved', async ({
  context,
  page,
  superuser,
  user,
}) => {
  await openAs(page, superuser, `/main/admin/users/edit/${user.id}`)
  await page.getByLabel('Full name').fill('Typed before')
  const other = await context.newPage()
  await other.goto('/main/profile/edit')
  await other.getByLabel('Full name').fill('Typed in the other tab')
  await endSessions(superuser)

  await page.getByRole('button', { name: 'Save' }).click()
  const dialog = page.getByRole('dialog', { name: 'Your session has ended' })
  await expect(dialog).toContainText(superuser.email)
  await page.keyboard.press('Escape')
  await dialog.getByLabel('Password', { exact: true }).fill('a wrong password')
  await dialog.getByRole('button', { name: 'Log in' }).click()
  await expect(dialog.getByText('Incorrect email or password')).toBeVisible()
  await other.getByRole('button', { name: 'Save' }).click()
  await expect(other.getByRole('dialog', { name: 'Your session has ended' })).toBeVisible()

  await dialog.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await dialog.getByRole('button', { name: 'Log in' }).click()
  await expect(page.getByText('User saved')).toBeVisible()
  await page.getByRole('searchbox').fill(user.email)
  const row = page.getByRole('row').filter({ hasText: user.email })
  await expect(row.getByRole('link')).toHaveText('Typed before')
  // The login of one tab is enough for all.
  await expect(other.getByText('Profile saved')).toBeVisible()
  await expect(other.locator('#profile').getByText('Typed in the other tab')).toBeVisible()
})

test('two users in one browser never act for each other', async ({ context, page, user }) => {
  const second = await createAccount()
  await openAs(page, user, '/main/profile/edit')
  await page.getByLabel('Full name').fill('Of the first user')
  const other = await context.newPage()
  await openAs(other, second)
  await expect(welcome(other, second)).toBeVisible()

  await page.getByRole('button', { name: 'Save', exact: true }).click()
  const dialog = page.getByRole('dialog', { name: 'Your session has ended' })
  await expect(dialog).toContainText(user.email)
  await dialog.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await dialog.getByRole('button', { name: 'Log in' }).click()
  await expect(page.getByText('Profile saved')).toBeVisible()
  await expect(page.getByText(user.email)).toBeVisible()

  // Now the cookie belongs to the first user. The second tab asks, and can switch.
  await other.getByRole('link', { name: 'Jobs', exact: true }).click()
  await other.getByRole('dialog').getByRole('button', { name: 'Discard and leave' }).click()
  await expect(other.getByText('Welcome, Of the first user')).toBeVisible()
})

test('a view is loaded while the session is restored', async ({ page, user }) => {
  await openAs(page, user)
  await expect(welcome(page, user)).toBeVisible()
  const release = await hold(page, '**/login/refresh', 'POST')
  const script = page.waitForRequest('**/assets/Dashboard-*.js')
  await page.reload()
  await script
  await expect(welcome(page, user)).toHaveCount(0)
  release()
  await expect(welcome(page, user)).toBeVisible()
})

test('a refresh whose response is lost is repeated', async ({ context, page, user }) => {
  await openAs(page, user, '/robots.txt')
  let attempts = 0
  await page.route('**/login/refresh', async (route) => {
    attempts += 1
    if (attempts > 1) return route.fallback()
    const url = route.request().url()
    const cookies = await context.cookies(url)
    expect((await page.request.post(url)).ok()).toBe(true)
    await context.addCookies(cookies)
    return route.abort()
  })
  await page.goto('/main/profile/edit')
  await page.getByLabel('Full name').fill('Typed before')
  expect(attempts).toBe(2)

  // The connection breaks again, after the access token has expired.
  await page.route('**/api/v1/users/me', (route) => route.fulfill({ status: 401 }), { times: 1 })
  await page.route('**/login/refresh', (route) => route.abort(), { times: 1 })
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await expect(page.getByText("The server can't be reached. Try again.")).toBeVisible()
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await expect(page.getByText('Profile saved')).toBeVisible()
  await expect(page.getByRole('main').getByText('Typed before')).toBeVisible()

  // An error of the server does not end the session.
  await page.route('**/login/refresh', (route) => route.fulfill({ status: 500 }), { times: 1 })
  await page.reload()
  await expect(page.getByText('Something went wrong. Try again.')).toBeVisible()
  await page.goto('/main/dashboard')
  await expect(page.getByText('Welcome, Typed before')).toBeVisible()
})

test('a reset of another password keeps the session and what is typed', async ({
  context,
  page,
  superuser,
  user,
}) => {
  await openAs(page, superuser, '/main/profile/edit')
  await page.getByLabel('Full name').fill('Typed before')
  const other = await context.newPage()
  const { client } = user
  await loginRecoverPassword({ client, path: { email: user.email } })
  await other.goto(pathOfLink(await linkInMail(user.email, 'Password recovery'), '#token='))
  await other.getByLabel('New password').fill('another good password')
  await other.getByLabel('Confirm password').fill('another good password')
  await other.getByRole('button', { name: 'Reset password' }).click()
  await expect(other.getByText('Password changed')).toBeVisible()
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await expect(page.getByText('Profile saved')).toBeVisible()
  await expect(page.locator('#profile').getByText('Typed before')).toBeVisible()
})

test('a page of another origin cannot refresh', async ({ page, user }) => {
  await openAs(page, user)
  await expect(welcome(page, user)).toBeVisible()
  const server = createServer((_, response) => response.end('<title>Foreign</title>')).listen(0)
  const { port } = server.address() as AddressInfo
  const { hostname, origin } = new URL(page.url())
  // The same host on another port is the same site, so the browser sends the cookie.
  await page.goto(`http://${hostname}:${port}`)
  const sent = page.waitForResponse('**/login/refresh')
  const result = await page.evaluate(
    (url) =>
      fetch(url, { method: 'POST', credentials: 'include', mode: 'no-cors' }).then(
        ({ type }) => type,
      ),
    `${origin}/api/v1/login/refresh`,
  )
  expect(result).toBe('opaque')
  const response = await sent
  expect(response.status()).toBe(403)
  expect(await response.headerValue('set-cookie')).toBeNull()
  server.close()
})

test('a browser that keeps no cookies is told why the login does not stick', async ({
  context,
  page,
  user,
}) => {
  await page.goto('/login')
  await fillLogin(page, user.email, PASSWORD)
  await expect(welcome(page, user)).toBeVisible()
  await context.clearCookies()
  await page.reload()
  await expect(page.getByText("Your browser didn't keep you logged in.")).toBeVisible()
})
