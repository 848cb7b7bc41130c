import type { Page } from '@playwright/test'
import { usersCreateUser } from '../../src/client'
import { violations } from './axe'
import { startBackend } from './backend'
import {
  expect,
  fillLogin,
  linkInMail,
  loginAsFirstSuperuser,
  newEmail,
  PASSWORD,
  test,
} from './fixtures'

async function fillSignUp(page: Page, email: string): Promise<void> {
  await page.getByLabel('Email').fill(email)
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await page.getByLabel('Confirm password').fill(PASSWORD)
  await page.getByRole('button', { name: 'Sign up' }).click()
  await expect(page.getByRole('heading', { name: 'Check your email' })).toBeVisible()
  await expect(page.getByRole('heading', { name: 'Check your email' })).toBeFocused()
  await expect(page.getByText(`open the link that we sent to ${email}.`)).toBeVisible()
}

test('a new user confirms the email once, and can log in', async ({ page }) => {
  const email = newEmail()
  await page.goto('/login')
  await page.getByText('Sign up').click()
  await page.getByLabel('Full name').fill('Ada Example')
  await fillSignUp(page, email)
  const link = await linkInMail(email, 'Confirm your email')
  await page.goto(link)
  await page.getByRole('button', { name: 'Confirm email' }).click()
  await expect(page.getByText('Email confirmed')).toBeVisible()
  await expect(page).toHaveURL(/\/login$/)
  await fillLogin(page, email, PASSWORD)
  await expect(page.getByText('Welcome, Ada Example')).toBeVisible()

  await page.goto(link)
  await page.getByRole('button', { name: 'Confirm email' }).click()
  await expect(
    page.getByRole('alert').filter({ hasText: 'This link is invalid or was already used' }),
  ).toBeVisible()
  await expect(page.getByRole('link', { name: 'Back to log in' })).toBeVisible()
})

test.describe('in a Russian browser', () => {
  test.use({ locale: 'ru-RU' })

  test('the web app and the mail to confirm the email are in Russian', async ({ page }) => {
    const email = newEmail()
    await page.goto('/sign-up')
    await page.getByLabel('Электронная почта').fill(email)
    await page.getByLabel('Пароль', { exact: true }).fill(PASSWORD)
    await page.getByLabel('Повторите пароль').fill(PASSWORD)
    await page.getByRole('button', { name: 'Зарегистрироваться' }).click()
    await expect(page.getByRole('heading', { name: 'Проверьте почту' })).toBeVisible()
    await page.goto(await linkInMail(email, ': подтвердите адрес'))
    await page.getByRole('button', { name: 'Подтвердить адрес' }).click()
    await expect(page.getByText('Адрес почты подтверждён')).toBeVisible()
    await expect(page.getByRole('button', { name: 'Войти' })).toBeVisible()
  })
})

test('a login before the email is confirmed offers another link', async ({ page }) => {
  const { client } = await loginAsFirstSuperuser()
  const email = newEmail()
  const body = { email, password: PASSWORD, is_verified: false }
  await usersCreateUser({ client, body })
  await page.goto('/login')
  await fillLogin(page, email, 'a wrong password')
  const again = page.getByRole('button', { name: 'Send the link again' })
  await expect(
    page.getByRole('alert').filter({ hasText: 'Incorrect email or password' }),
  ).toBeVisible()
  await expect(again).toHaveCount(0)
  await fillLogin(page, email, PASSWORD)
  await expect(
    page.getByRole('alert').filter({ hasText: 'Confirm your email first' }),
  ).toBeVisible()
  await again.click()
  await expect(page.getByText('Link sent. Check your email.')).toBeVisible()

  await page.goto(await linkInMail(email, 'Confirm your email'))
  await page.getByRole('button', { name: 'Confirm email' }).click()
  await expect(page.getByText('Email confirmed')).toBeVisible()
})

test('signing up with a taken email looks the same, and its owner is informed', async ({
  page,
  user,
}) => {
  await page.goto('/sign-up')
  await fillSignUp(page, user.email)
  expect(await linkInMail(user.email, 'You already have an account')).toContain('/reset-password#')
  expect(await violations(page)).toEqual([])

  const again = page.getByRole('button', { name: 'Send the link again' })
  const json = { detail: 'x', code: 'too_many_attempts' }
  const headers = { 'Retry-After': '42' }
  const tooMany = { status: 429, headers, json }
  await page.route('**/email-verification/', (route) => route.fulfill(tooMany), { times: 1 })
  await again.click()
  await expect(page.getByText('Too many attempts. Try again in 42 seconds.')).toBeVisible()
  const request = page.waitForRequest('**/email-verification/')
  await again.click()
  await expect(page.getByText('Link sent. Check your email.')).toBeVisible()
  expect((await request).postDataJSON()).toEqual({ email: user.email })
  await page.getByRole('link', { name: 'Back to log in' }).click()
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
  await expect(page.getByText('Forgot password?')).toBeVisible()
  await expect(page.getByText('Sign up')).toHaveCount(0)

  await page.goto('/sign-up')
  await expect(page.getByText('Sign-up is closed on this server.')).toBeVisible()
})
