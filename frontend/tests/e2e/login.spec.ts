import { usersUpdateUser } from '../../src/client'
import {
  createAccount,
  expect,
  fillLogin,
  loginAsFirstSuperuser,
  logOut,
  openAs,
  PASSWORD,
  test,
} from './fixtures'

test('a session survives a reload and ends with logging out', async ({ page, user }) => {
  await page.goto('/')
  await expect(page).toHaveURL(/\/login$/)
  await fillLogin(page, user.email, PASSWORD)
  await expect(page.getByText(`Welcome, ${user.email}`)).toBeVisible()
  await expect(page.getByText('Logged in')).toHaveCount(0)

  await page.reload()
  await expect(page.getByText(`Welcome, ${user.email}`)).toBeVisible()

  await logOut(page)
  await expect(page.getByRole('heading', { name: 'Log in' })).toBeVisible()
  await page.goBack()
  await expect(page.getByRole('button', { name: 'Log in' })).toBeVisible()
})

test('a wrong password is rejected, and the email is kept', async ({ page, user }) => {
  await page.goto('/login')
  await fillLogin(page, user.email, 'a wrong password')
  await expect(
    page.getByRole('alert').filter({ hasText: 'Incorrect email or password' }),
  ).toBeVisible()
  await expect(page.getByLabel('Email')).toHaveValue(user.email)

  await fillLogin(page, user.email, PASSWORD)
  await expect(page).toHaveURL(/dashboard$/)
})

test('an inactive user cannot log in', async ({ page, user }) => {
  const { client } = await loginAsFirstSuperuser()
  await usersUpdateUser({ client, path: { user_id: user.id }, body: { is_active: false } })
  await page.goto('/login')
  await fillLogin(page, user.email, PASSWORD)
  await expect(
    page.getByRole('alert').filter({ hasText: 'This account is deactivated.' }),
  ).toBeVisible()
})

test('after login, the requested page opens', async ({ page, superuser }) => {
  await page.goto('/main/admin/users/all?q=word')
  await fillLogin(page, superuser.email, PASSWORD)
  await expect(page).toHaveURL(/\/main\/admin\/users\/all\?q=word$/)
  await expect(page.getByRole('searchbox')).toHaveValue('word')
})

test('a path in upper case requires a login too', async ({ page }) => {
  await page.goto('/MAIN/dashboard')
  await expect(page.getByRole('button', { name: 'Log in' })).toBeVisible()
})

test('a user who is deactivated is logged out', async ({ page, user }) => {
  await openAs(page, user)
  await expect(page.getByText('Welcome')).toBeVisible()
  // A late request of this page would already log the user out.
  await page.waitForLoadState('networkidle')
  const { client } = await loginAsFirstSuperuser()
  await usersUpdateUser({ client, path: { user_id: user.id }, body: { is_active: false } })

  await page.getByRole('link', { name: 'Jobs', exact: true }).click()
  await expect(page).toHaveURL(/\/login/)
  await expect(page.getByText('This account is deactivated.')).toBeVisible()
})

test('the next user sees no data of the previous one', async ({ page, user }) => {
  const other = await createAccount({ full_name: 'Somebody else' })
  await openAs(page, user)
  await expect(page.getByText(`Welcome, ${user.email}`)).toBeVisible()
  await logOut(page)
  await fillLogin(page, other.email, PASSWORD)
  await expect(page.getByText('Welcome, Somebody else')).toBeVisible()
  await expect(page.getByText(user.email)).toHaveCount(0)
})

test('a form that is not used yet reports no error when the focus leaves a field', async ({
  page,
}) => {
  await page.goto('/login')
  const email = page.getByLabel('Email')
  await expect(email).toBeFocused()
  await page.keyboard.press('Tab')
  await expect(page.getByLabel('Password', { exact: true })).toBeFocused()
  await page.waitForTimeout(500) // An error would appear by now.
  await expect(email).not.toHaveAccessibleDescription('Required')
  await page.keyboard.type('some password')
  await page.keyboard.press('Shift+Tab')
  await page.keyboard.press('Tab')
  await expect(email).toHaveAccessibleDescription('Required')
})
