import type { Page } from '@playwright/test'
import {
  expect,
  fillLogin,
  linkInMail,
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
  test(`a form submitted past the web app sends no password: ${path}`, async ({
    page,
    superuser,
  }) => {
    await openAs(page, superuser)
    if (!path.startsWith('/main')) await page.evaluate(() => sessionStorage.clear())
    await page.goto(path)
    const field = page.locator('input[type=password]').first()
    await field.fill(SECRET)
    const requests: string[] = []
    page.on('request', (request) => requests.push(request.url()))
    const { href } = new URL(page.url())
    // As some password managers do; no event tells the web app.
    await page.evaluate(() => document.forms[0]!.submit())
    // What the submission loads comes before this, which then fails.
    await page.evaluate(() => fetch('/robots.txt')).catch(() => {})
    expect(requests.filter((url) => !url.endsWith('/robots.txt'))).toEqual([])
    expect(page.url()).toBe(href)
    await expect(field).toHaveValue(SECRET)
  })
}

test('a password that is shown is not checked by a spelling service', async ({ page }) => {
  await page.goto('/login')
  await page.getByRole('button', { name: 'Show password' }).click()
  const field = page.getByLabel('Password', { exact: true })
  await expect(field).toHaveAttribute('type', 'text')
  await expect(field).toHaveAttribute('spellcheck', 'false')
})

/** Collects what a page leaves where others can read it: addresses, titles, the console, storage. */
function watch(page: Page) {
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
    /** Looks at the page as it is now. */
    async look() {
      const left = await page.evaluate(() =>
        JSON.stringify([document.title, history.state, document.referrer, localStorage]),
      )
      seen.push(left)
    },
    done: () => Promise.all(headers),
  }
}

test('passwords and tokens are in no address, title, history, storage or log', async ({ page }) => {
  const email = newEmail()
  const passwords = ['a secret of sign-up', 'a secret of the profile', 'a secret of the reset']
  const [first, second, third] = passwords as [string, string, string]
  const tokens: string[] = []
  const watched = watch(page)
  const look = async () => {
    await watched.look()
    const token = await page.evaluate(() => sessionStorage.getItem('token'))
    if (token) tokens.push(token)
  }

  await page.goto('/sign-up')
  await page.getByLabel('Email').fill(email)
  await page.getByLabel('Password', { exact: true }).fill(first)
  await page.getByLabel('Confirm password').fill(first)
  await page.getByRole('button', { name: 'Show password' }).first().click()
  await look()
  await page.getByRole('button', { name: 'Sign up' }).click()
  await expect(page).toHaveURL(/dashboard$/)
  await look()

  await page.getByRole('group', { name: 'Main menu' }).getByText('Change password').click()
  await page.getByLabel('Current password').fill(first)
  await page.getByLabel('Password', { exact: true }).fill(second)
  await page.getByLabel('Confirm password').fill(second)
  await look()
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page).toHaveURL(/profile\/view$/)
  await look()
  await page.getByText('Log out').click()

  await page.getByText('Forgot your password?').click()
  await expect(page.getByRole('button', { name: 'Recover password' })).toBeVisible()
  await page.getByLabel('Email').fill(email)
  await page.getByRole('button', { name: 'Recover password' }).click()
  const link = pathOfLink(await linkInMail(email, 'Password recovery'), '#token=')
  tokens.push(link.split('=')[1]!)
  await page.goto(link)
  await page.getByLabel('New password').fill(third)
  await page.getByLabel('Confirm password').fill(third)
  await look()
  await page.getByRole('button', { name: 'Reset password' }).click()
  await fillLogin(page, email, PASSWORD)
  await expect(
    page.getByRole('alert').filter({ hasText: 'Incorrect email or password' }),
  ).toBeVisible()
  await look()
  await fillLogin(page, email, third)
  await expect(page).toHaveURL(/dashboard$/)
  await look()
  await watched.done()

  // They were there to be found.
  expect(tokens.length).toBeGreaterThanOrEqual(4)
  const sent = watched.sent.join('\n')
  expect([...passwords, PASSWORD].filter((secret) => !sent.includes(secret))).toEqual([])
  // The link itself was opened on purpose.
  const others = watched.seen.filter((text) => !text.endsWith(link))
  const seen = others.map((text) => decodeURIComponent(text.replaceAll('+', ' ')))
  expect(seen.some((text) => text.includes('Dashboard'))).toBe(true)
  const found = [...passwords, PASSWORD, ...tokens].filter((secret) =>
    seen.some((text) => text.includes(secret)),
  )
  expect(found).toEqual([])
})
