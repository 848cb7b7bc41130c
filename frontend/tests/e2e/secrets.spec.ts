import type { Page } from '@playwright/test'
import type { Token } from '../../src/client'
import {
  expect,
  fillLogin,
  linkInMail,
  logOut,
  newEmail,
  openAs,
  PASSWORD,
  pathOfLink,
  test,
} from './fixtures'

const SECRET = 'a secret of this test'

for (const path of [
  '/login',
  '/sign-up',
  '/reset-password#token=x',
  '/main/profile/password',
  '/main/admin/users/create',
]) {
  test(`a native form submission sends no password: ${path}`, async ({ page, superuser }) => {
    if (path.startsWith('/main')) await openAs(page, superuser, path)
    else await page.goto(path)
    const field = page.locator('input[type=password]').first()
    await field.fill(SECRET)
    const requests: string[] = []
    page.on('request', (request) => requests.push(request.url()))
    const { href } = new URL(page.url())
    // Some password managers submit forms with submit(), which triggers no submit event.
    await page.evaluate(() => document.forms[0]!.submit())
    // If the submission started a navigation, the navigation would come first and abort this request.
    await page.evaluate(() => fetch('/robots.txt')).catch(() => {})
    expect(requests.filter((url) => !url.endsWith('/robots.txt'))).toEqual([])
    expect(page.url()).toBe(href)
    await expect(field).toHaveValue(SECRET)
  })
}

test('spell checking is off for a visible password', async ({ page }) => {
  await page.goto('/login')
  await page.getByRole('button', { name: 'Show password' }).click()
  const field = page.getByLabel('Password', { exact: true })
  await expect(field).toHaveAttribute('type', 'text')
  await expect(field).toHaveAttribute('spellcheck', 'false')
})

/** Records everything that could contain leaked secrets: URLs, titles, console, history and storage. */
function recordTraces(page: Page) {
  const seen: string[] = []
  const sent: string[] = []
  const headers: Promise<unknown>[] = []
  page.on('console', (message) => seen.push(message.text()))
  page.on('framenavigated', (frame) => seen.push(frame.url()))
  page.on('request', (request) => {
    seen.push(request.url())
    sent.push(decodeURIComponent((request.postData() ?? '').replaceAll('+', ' ')))
    headers.push(request.allHeaders().then(({ referer = '' }) => seen.push(referer)))
  })
  return {
    sent,
    seen,
    /** Records the current state of the page. */
    async record() {
      const left = await page.evaluate(() =>
        JSON.stringify([document.title, history.state, document.referrer, localStorage]),
      )
      seen.push(left)
    },
    done: () => Promise.all(headers),
  }
}

test('passwords and tokens appear in no URL, title, history, storage or log', async ({ page }) => {
  const email = newEmail()
  const passwords = ['a secret of sign-up', 'a secret of the profile', 'a secret of the reset']
  const [first, second, third] = passwords as [string, string, string]
  const tokens: string[] = []
  const traces = recordTraces(page)
  page.on('response', async (response) => {
    if (!/\/login\/(access-token|refresh)$/.test(response.url()) || !response.ok()) return
    const { 'set-cookie': cookie } = await response.allHeaders()
    tokens.push(((await response.json()) as Token).access_token, cookie!.split(/[=;]/)[1]!)
  })

  await page.goto('/sign-up')
  await page.getByLabel('Email').fill(email)
  await page.getByLabel('Password', { exact: true }).fill(first)
  await page.getByLabel('Confirm password').fill(first)
  await page.getByRole('button', { name: 'Show password' }).first().click()
  await traces.record()
  await page.getByRole('button', { name: 'Sign up' }).click()
  const confirmation = pathOfLink(await linkInMail(email, 'Confirm your email'), '#token=')
  tokens.push(confirmation.split('=')[1]!)
  await page.goto(confirmation)
  await traces.record()
  await page.getByRole('button', { name: 'Confirm email' }).click()
  await fillLogin(page, email, first)
  await expect(page).toHaveURL(/dashboard$/)
  await traces.record()

  await page.goto('/main/settings#password')
  await page.getByLabel('Current password').fill(first)
  await page.getByLabel('Password', { exact: true }).fill(second)
  await page.getByLabel('Confirm password').fill(second)
  await traces.record()
  await page.getByRole('button', { name: 'Change password' }).click()
  await expect(page.getByText('Password changed')).toBeVisible()
  await traces.record()
  await logOut(page)

  await page.getByText('Forgot password?').click()
  await expect(page.getByRole('button', { name: 'Recover password' })).toBeVisible()
  await page.getByLabel('Email').fill(email)
  await page.getByRole('button', { name: 'Recover password' }).click()
  const link = pathOfLink(await linkInMail(email, 'Password recovery'), '#token=')
  tokens.push(link.split('=')[1]!)
  await page.goto(link)
  await page.getByLabel('New password').fill(third)
  await page.getByLabel('Confirm password').fill(third)
  await traces.record()
  await page.getByRole('button', { name: 'Reset password' }).click()
  await fillLogin(page, email, PASSWORD)
  await expect(
    page.getByRole('alert').filter({ hasText: 'Incorrect email or password' }),
  ).toBeVisible()
  await traces.record()
  await fillLogin(page, email, third)
  await expect(page).toHaveURL(/dashboard$/)
  await traces.record()
  await traces.done()

  // Check that the secrets were used: otherwise the test could not find them anywhere.
  expect(tokens.length).toBeGreaterThanOrEqual(8)
  const sent = traces.sent.join('\n')
  expect([...passwords, PASSWORD].filter((secret) => !sent.includes(secret))).toEqual([])
  // Opening the links themselves is not a leak.
  const others = traces.seen.filter((text) => !text.endsWith(link) && !text.endsWith(confirmation))
  const seen = others.map((text) => decodeURIComponent(text.replaceAll('+', ' ')))
  expect(seen.some((text) => text.includes('Dashboard'))).toBe(true)
  const found = [...passwords, PASSWORD, ...tokens].filter((secret) =>
    seen.some((text) => text.includes(secret)),
  )
  expect(found).toEqual([])
})
