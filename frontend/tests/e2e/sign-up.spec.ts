import { startBackend } from './backend'
import { expect, fillLogin, hold, newEmail, PASSWORD, test } from './fixtures'

test('a new user is logged in after signing up', async ({ page }) => {
  const email = newEmail()
  await page.goto('/login')
  await page.getByText('Sign up').click()
  await page.getByLabel('Full name').fill('Ada Example')
  await page.getByLabel('Email').fill(email)
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await page.getByLabel('Confirm password').fill(PASSWORD)
  await page.getByRole('button', { name: 'Sign up' }).click()
  await expect(page.getByText('Your account is ready')).toBeVisible()
  await expect(page.getByText('Welcome, Ada Example')).toBeVisible()
})

test('signing up shows no data of the user who was logged in', async ({ page, superuser }) => {
  await page.goto('/sign-up')
  await page.getByText('Log in').click()
  await fillLogin(page, superuser.email, PASSWORD)
  await expect(page.getByText('Manage users')).toBeVisible()
  await page.goBack()
  await page.getByLabel('Email').fill(newEmail())
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await page.getByLabel('Confirm password').fill(PASSWORD)
  const release = await hold(page, '**/users/me', 'GET')
  await page.getByRole('button', { name: 'Sign up' }).click()
  await expect(page.getByRole('main').getByText('Loading…')).toBeVisible()
  await expect(page.getByText('Manage users')).toHaveCount(0)
  release()
  await expect(page.getByText('Welcome')).toBeVisible()
})

test('a taken email shows an error at its field and can be replaced', async ({ page, user }) => {
  await page.goto('/sign-up')
  await page.getByLabel('Email').fill(user.email)
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await page.getByLabel('Confirm password').fill(PASSWORD)
  await page.getByRole('button', { name: 'Sign up' }).click()
  await expect(
    page.getByText('A user with this email already exists. Use another email.'),
  ).toBeVisible()
  await expect(page.getByLabel('Email')).toBeFocused()

  await page.getByLabel('Email').fill(newEmail())
  await expect(
    page.getByText('A user with this email already exists. Use another email.'),
  ).toBeHidden()
  await page.getByRole('button', { name: 'Sign up' }).click()
  await expect(page).toHaveURL(/dashboard$/)
})

test('if the login after sign-up fails, the login form opens', async ({ page }) => {
  await page.route('**/login/access-token', (route) =>
    route.fulfill({ status: 429, json: { detail: 'Too Many Requests' } }),
  )
  await page.goto('/sign-up')
  await page.getByLabel('Email').fill(newEmail())
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await page.getByLabel('Confirm password').fill(PASSWORD)
  await page.getByRole('button', { name: 'Sign up' }).click()
  await expect(page.getByText('Your account is ready')).toBeVisible()
  await expect(page).toHaveURL(/\/login$/)
})

test('nobody can sign up if registration is closed', async ({ page }) => {
  await using backend = await startBackend({ USERS_OPEN_REGISTRATION: 'False' })
  await page.route('**/api/**', (route) =>
    route.continue({ url: backend.url + new URL(route.request().url()).pathname }),
  )
  const response = page.waitForResponse('**/users/open')
  await page.goto('/login')
  await response
  await expect(page.getByText('Forgot your password?')).toBeVisible()
  await expect(page.getByText('Sign up')).toHaveCount(0)

  await page.goto('/sign-up')
  await expect(page.getByText('Sign-up is closed on this server.')).toBeVisible()
})
