import { loginRecoverPassword } from '../../src/client'
import {
  type Account,
  createAccount,
  expect,
  fillLogin,
  linkInMail,
  newEmail,
  PASSWORD,
  pathOfLink,
  test,
} from './fixtures'

async function recoveryLink({ client, email }: Account): Promise<string> {
  await loginRecoverPassword({ client, path: { email } })
  return linkInMail(email, 'Password recovery')
}

test('a recovery link sets a new password once', async ({ page, user }) => {
  await page.goto('/login')
  await page.getByText('Forgot password?').click()
  // Wait for the recovery view, because the login view also has a field with this label.
  await expect(page.getByRole('button', { name: 'Recover password' })).toBeVisible()
  await page.getByLabel('Email').fill('mistyped@example.com')
  await page.getByRole('button', { name: 'Recover password' }).click()
  await expect(page.getByRole('heading', { name: 'Check your email' })).toBeFocused()
  await page.getByRole('button', { name: 'Change email' }).click()
  await page.getByLabel('Email').fill(user.email)
  await page.getByRole('button', { name: 'Recover password' }).click()
  await expect(page.getByText(`If ${user.email} is registered, a link`)).toBeVisible()

  const link = await linkInMail(user.email, 'Password recovery')
  await page.goto(link)
  await page.getByLabel('New password').fill('a new password')
  await page.getByLabel('Confirm password').fill('a new password')
  await page.getByRole('button', { name: 'Reset password' }).click()
  await expect(page.getByText('Password changed')).toBeVisible()

  await fillLogin(page, user.email, PASSWORD)
  await expect(
    page.getByRole('alert').filter({ hasText: 'Incorrect email or password' }),
  ).toBeVisible()
  await fillLogin(page, user.email, 'a new password')
  await expect(page).toHaveURL(/dashboard$/)

  await page.goto(link)
  await page.getByLabel('New password').fill('another password')
  await page.getByLabel('Confirm password').fill('another password')
  await page.getByRole('button', { name: 'Reset password' }).click()
  await expect(
    page.getByRole('alert').filter({ hasText: 'This link is invalid or was already used' }),
  ).toBeVisible()
})

test('an unknown email gets the same response as a known one', async ({ page }) => {
  await page.goto('/recover-password')
  await page.getByLabel('Email').fill(newEmail())
  await page.getByRole('button', { name: 'Recover password' }).click()
  await expect(page.getByRole('heading', { name: 'Check your email' })).toBeVisible()
})

test('a new user sets a password with the mailed link', async ({ page }) => {
  const { email } = await createAccount()
  await page.goto(await linkInMail(email, 'New account'))
  await page.getByLabel('New password').fill('my own password')
  await page.getByLabel('Confirm password').fill('my own passwort')
  await page.getByRole('button', { name: 'Reset password' }).click()
  await expect(page.getByText("Passwords don't match")).toBeVisible()
  await page.getByLabel('Confirm password').fill('my own password')
  await page.getByRole('button', { name: 'Reset password' }).click()
  await fillLogin(page, email, 'my own password')
  await expect(page).toHaveURL(/dashboard$/)
})

test('a link without a token is reported as incomplete', async ({ page }) => {
  await page.goto('/reset-password')
  await expect(page.getByText('This link is incomplete')).toBeVisible()
  await page.getByText('Request a new link').click()
  await expect(page).toHaveURL(/recover-password$/)
})

for (const form of ['#token=', '?token='] as const) {
  test(`the token of a ${form} link leaves no traces`, async ({ page, user }) => {
    const path = pathOfLink(await recoveryLink(user), form)
    const token = path.split('=')[1]!
    const requests: Promise<{ url: string; referer?: string }>[] = []
    page.on('request', (request) =>
      requests.push(request.allHeaders().then(({ referer }) => ({ url: request.url(), referer }))),
    )

    await page.goto(path)
    await page.getByLabel('New password').fill('my own password')
    await page.getByLabel('Confirm password').fill('my own password')
    await expect(page).toHaveURL(/\/reset-password$/)
    const kept = await page.evaluate(() =>
      JSON.stringify([history.state, document.title, localStorage, sessionStorage]),
    )
    expect(kept).not.toContain(token)
    await page.getByRole('button', { name: 'Reset password' }).click()
    await expect(page.getByText('Password changed')).toBeVisible()
    await fillLogin(page, user.email, 'my own password')
    await expect(page).toHaveURL(/dashboard$/)

    const sent = await Promise.all(requests)
    expect(sent.filter(({ referer }) => referer?.includes(token))).toEqual([])
    // The token is in one request at most: the one that opens an old link.
    const named = sent.filter(({ url }) => url.includes(token))
    expect(named.length).toBe(form === '?token=' ? 1 : 0)
  })

  test(`the token of a ${form} link is removed from the URL before the view is loaded`, async ({
    page,
  }) => {
    await page.addInitScript(() => localStorage.setItem('locale', 'ru'))
    let release = () => {}
    const held = new Promise<void>((resolve) => (release = resolve))
    const waiting = page.waitForRequest(/assets\/ru-/)
    await page.route(/assets\/(ru|ResetPassword)-/, async (route) => {
      await held
      await route.continue()
    })
    await page.goto(`/reset-password${form}x`, { waitUntil: 'commit' })
    await waiting
    expect(page.url()).toMatch(/\/reset-password$/)
    release()
    await expect(page.getByRole('heading', { name: 'Новый пароль' })).toBeVisible()
  })

  test(`a ${form} link can’t be opened again by Back or a reload`, async ({ page }) => {
    await page.goto('/login')
    await page.goto(`/reset-password${form}x`)
    await expect(page.getByLabel('New password')).toBeVisible()
    await page.goto('/robots.txt')
    expect(await page.evaluate(() => document.referrer)).not.toContain('token')
    await page.goBack()
    await expect(page).toHaveURL(/\/reset-password$/)
    await page.reload()
    await expect(page.getByText('This link is incomplete')).toBeVisible()
    await page.goBack()
    await expect(page).toHaveURL(/\/login$/)
  })
}

test('a link works in a tab that shows the incomplete-link view', async ({ page, user }) => {
  const path = pathOfLink(await recoveryLink(user), '#token=')
  await page.goto('/reset-password')
  await expect(page.getByText('This link is incomplete')).toBeVisible()
  // Only the fragment changes, so the browser does not reload the web app.
  await page.evaluate((link) => location.assign(link), path)
  await page.getByLabel('New password').fill('my own password')
  await expect(page).toHaveURL(/\/reset-password$/)
  await page.getByLabel('Confirm password').fill('my own password')
  await page.getByRole('button', { name: 'Reset password' }).click()
  await expect(page.getByText('Password changed')).toBeVisible()
})

for (const link of [
  '/reset-password/#token=x',
  '/RESET-PASSWORD#token=x',
  '/reset-password?utm_source=mail#token=x',
  '/reset-password?token=x&utm_source=mail',
]) {
  test(`the token is read from ${link} and removed from the URL`, async ({ page }) => {
    await page.goto(link)
    await expect(page.getByLabel('New password')).toBeVisible()
    expect(page.url()).not.toMatch(/[?#]/)
  })
}

test('a link to confirm an email leaves no token, and works only with a fragment', async ({
  page,
}) => {
  await page.goto('/verify-email?token=x')
  await expect(page.getByText('This link is incomplete')).toBeVisible()
  await page.goto('/verify-email#token=abcdef')
  await expect(page.getByRole('button', { name: 'Confirm email' })).toBeVisible()
  await expect(page).toHaveURL(/\/verify-email$/)
  const kept = await page.evaluate(() =>
    JSON.stringify([history.state, document.title, localStorage, sessionStorage]),
  )
  expect(kept).not.toContain('abcdef')
  await page.reload()
  await expect(page.getByText('This link is incomplete')).toBeVisible()
  await page.getByRole('link', { name: 'Log in' }).click()
  await expect(page).toHaveURL(/\/login$/)
})

for (const path of ['/reset-password', '/verify-email']) {
  test(`leaving the form of ${path} deletes the token`, async ({ page }) => {
    await page.goto(`${path}#token=x`)
    await page.getByRole('link', { name: 'Back to log in' }).click()
    await expect(page).toHaveURL(/\/login$/)
    await page.goBack()
    await expect(page.getByText('This link is incomplete')).toBeVisible()
  })
}
