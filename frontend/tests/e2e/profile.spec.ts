import { usersUpdateUser, usersUpdateUserMe } from '../../src/client'
import {
  createAccount,
  expect,
  fillLogin,
  linkInMail,
  loginAsFirstSuperuser,
  logOut,
  newEmail,
  openAs,
  PASSWORD,
  test,
} from './fixtures'

test('the name can be changed and removed', async ({ page, user }) => {
  await openAs(page, user, '/main/profile/edit')
  await page.getByLabel('Full name').fill('Grace Example')
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByText('Profile saved')).toBeVisible()
  await expect(page.locator('#profile').getByText('Grace Example')).toBeVisible()

  await page.goto('/main/profile/edit')
  await page.getByLabel('Full name').fill('')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.goto('/main/dashboard')
  await expect(page.getByRole('heading', { name: `Welcome, ${user.email}` })).toBeVisible()
})

test('changing the email requires the current password and a confirmation', async ({
  page,
  user,
}) => {
  const email = newEmail()
  await openAs(page, user, '/main/profile/edit')
  const profile = page.locator('#profile')
  await expect(profile.getByLabel('Full name')).toBeVisible()
  await expect(profile.getByLabel('Current password')).toHaveCount(0)
  await page.getByLabel('Email').fill(email)
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByText('Required', { exact: true })).toBeVisible()
  await profile.getByLabel('Current password').fill('a wrong password')
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByText('Incorrect password')).toBeVisible()
  await expect(page.getByLabel('Email')).toHaveValue(email)

  await profile.getByLabel('Current password').fill(PASSWORD)
  await page.getByRole('button', { name: 'Save' }).click()
  const sent = `We sent a link to ${email}. Your email changes when you open it.`
  await expect(page.getByText(sent)).toBeVisible()
  await expect(profile.getByText(user.email)).toBeVisible()
  await expect(page.getByLabel('Email')).toHaveValue(user.email)

  await linkInMail(user.email, 'Your email is about to change')
  await page.goto(await linkInMail(email, 'Confirm your new email'))
  await page.getByRole('button', { name: 'Confirm email' }).click()
  await expect(page.getByText('Email confirmed')).toBeVisible()
  await expect(page).toHaveURL('/main/settings')
  await expect(profile.getByText(email)).toBeVisible()
})

test('a new email is confirmed in another browser, unless it is taken', async ({ page, user }) => {
  const [email, taken] = [newEmail(), newEmail()]
  const requestChange = async (to: string) => {
    const body = { email: to, current_password: PASSWORD }
    await usersUpdateUserMe({ client: user.client, body })
    return linkInMail(to, 'Confirm your new email')
  }
  await page.goto(await requestChange(taken))
  await createAccount({ email: taken })
  await page.getByRole('button', { name: 'Confirm email' }).click()
  await expect(
    page.getByRole('alert').filter({ hasText: 'A user with this email already exists.' }),
  ).toBeVisible()

  await page.goto(await requestChange(email))
  await page.getByRole('button', { name: 'Confirm email' }).click()
  await expect(page.getByText('Email confirmed')).toBeVisible()
  await expect(page).toHaveURL(/\/login$/)
  await fillLogin(page, email, PASSWORD)
  await expect(page.getByRole('heading', { name: `Welcome, ${email}` })).toBeVisible()
})

test('an incorrect password is reported even if the form has no field for it', async ({
  page,
  user,
}) => {
  await openAs(page, user, '/main/profile/edit')
  await page.getByLabel('Full name').fill('Grace Example')
  // Change the email elsewhere, so that saving the form would change it back.
  const { client } = await loginAsFirstSuperuser()
  await usersUpdateUser({ client, path: { user_id: user.id }, body: { email: newEmail() } })
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByText('Incorrect password')).toBeVisible()
})

test('changing the password keeps the session', async ({ page, user }) => {
  await openAs(page, user, '/main/profile/password')
  await page.getByLabel('Current password').fill(PASSWORD)
  await page.getByLabel('Password', { exact: true }).fill('short')
  await page.getByLabel('Confirm password').fill('short')
  await page.getByRole('button', { name: 'Change password' }).click()
  await expect(page.getByLabel('Password', { exact: true })).toHaveAccessibleDescription(
    'At least 8 characters',
  )
  await expect(page.getByLabel('Password', { exact: true })).toBeFocused()
  await page.getByLabel('Password', { exact: true }).fill('my new password')
  await page.getByLabel('Confirm password').fill('my new password')
  await page.getByRole('button', { name: 'Change password' }).click()
  await expect(page.getByText('Password changed')).toBeVisible()
  await expect(page.getByLabel('Current password')).toHaveValue('')
  await page.reload()
  await expect(page.getByRole('heading', { name: 'Profile' })).toBeVisible()

  await logOut(page)
  await fillLogin(page, user.email, 'my new password')
  await expect(page).toHaveURL(/dashboard$/)
})

test('deleting the account requires the password', async ({ page, user }) => {
  await openAs(page, user, '/main/profile/view')
  await page.getByRole('button', { name: 'Delete my account' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Current password').fill('a wrong password')
  await dialog.getByRole('button', { name: 'Delete' }).click()
  await expect(dialog.getByText('Incorrect password')).toBeVisible()
  await dialog.getByLabel('Current password').fill(PASSWORD)
  await dialog.getByRole('button', { name: 'Delete' }).click()
  await expect(page.getByText('Your account was deleted')).toBeVisible()

  await fillLogin(page, user.email, PASSWORD)
  await expect(
    page.getByRole('alert').filter({ hasText: 'Incorrect email or password' }),
  ).toBeVisible()
})
