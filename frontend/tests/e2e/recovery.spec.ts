import { createAccount, expect, fillLogin, linkInMail, newEmail, PASSWORD, test } from './fixtures'

test('a forgotten password is replaced by the link in the mail, once', async ({ page, user }) => {
  await page.goto('/login')
  await page.getByText('Forgot your password?').click()
  // The view before has a field of this name too.
  await expect(page.getByRole('button', { name: 'Recover password' })).toBeVisible()
  await page.getByLabel('E-mail').fill(user.email)
  await page.getByRole('button', { name: 'Recover password' }).click()
  await expect(page.getByText('Password recovery email sent')).toBeVisible()

  const link = await linkInMail(user.email, 'Password recovery')
  await page.goto(link)
  await page.getByLabel('New password').fill('a new password')
  await page.getByLabel('Confirm password').fill('a new password')
  await page.getByRole('button', { name: 'Reset password' }).click()
  await expect(page.getByText('Password successfully reset')).toBeVisible()

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
  await expect(page.getByRole('alert').filter({ hasText: 'Invalid token' })).toBeVisible()
})

test('an unknown e-mail gets the same answer', async ({ page }) => {
  await page.goto('/recover-password')
  await page.getByLabel('E-mail').fill(newEmail())
  await page.getByRole('button', { name: 'Recover password' }).click()
  await expect(page.getByText('Password recovery email sent')).toBeVisible()
})

test('who was given an account chooses a password', async ({ page }) => {
  const { email } = await createAccount()
  await page.goto(await linkInMail(email, 'New account'))
  await page.getByLabel('New password').fill('my own password')
  await page.getByLabel('Confirm password').fill('my own passwort')
  await page.getByRole('button', { name: 'Reset password' }).click()
  await expect(page.getByText('The passwords differ')).toBeVisible()
  await page.getByLabel('Confirm password').fill('my own password')
  await page.getByRole('button', { name: 'Reset password' }).click()
  await fillLogin(page, email, 'my own password')
  await expect(page).toHaveURL(/dashboard$/)
})

test('an address without its token says so', async ({ page }) => {
  await page.goto('/reset-password')
  await expect(page.getByText('This address lacks its token')).toBeVisible()
  await page.getByText('Ask for a new link').click()
  await expect(page).toHaveURL(/recover-password$/)
})
