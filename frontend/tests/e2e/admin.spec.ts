import { usersReadUserMe, usersUpdateUser } from '../../src/client'
import {
  choose,
  createAccount,
  expect,
  fillLogin,
  linkInMail,
  logOut,
  newEmail,
  openAs,
  PASSWORD,
  test,
} from './fixtures'

test('a created user gets a mail in the chosen language, and can log in', async ({
  page,
  superuser,
}) => {
  const email = newEmail()
  await openAs(page, superuser, '/main/admin/users/create')
  await page.getByLabel('Full name').fill('New Example')
  await page.getByLabel('Email').fill(email)
  await choose(page, 'Language', 'Russian')
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await page.getByLabel('Confirm password').fill(PASSWORD)
  await page.getByRole('button', { name: 'Create' }).click()
  await expect(page.getByText('User created')).toBeVisible()
  await page.getByRole('searchbox').fill(email)
  await expect(page.getByRole('link', { name: 'New Example', exact: true })).toBeVisible()
  await linkInMail(email, 'новая учётная запись')

  await logOut(page)
  await fillLogin(page, email, PASSWORD)
  await expect(page.getByText('Welcome, New Example')).toBeVisible()
})

test('a taken or undeliverable email shows an error at its field', async ({
  page,
  superuser,
  user,
}) => {
  await openAs(page, superuser, '/main/admin/users/create')
  await page.getByLabel('Email').fill(user.email)
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await page.getByLabel('Confirm password').fill(PASSWORD)
  await page.getByRole('button', { name: 'Create' }).click()
  await expect(
    page.getByText('A user with this email already exists. Use another email.'),
  ).toBeVisible()
  // The address is well-formed. Only the API checks whether its domain can receive mail.
  await page.getByLabel('Email').fill('somebody@example.invalid')
  await page.getByRole('button', { name: 'Create' }).click()
  await expect(page.getByText('Enter a valid email address')).toBeVisible()
  await expect(page).toHaveURL(/users\/create$/)
})

test('a user is renamed, deactivated and deleted', async ({ page, superuser, user }) => {
  await openAs(page, superuser, `/main/admin/users/all?q=${user.email}`)
  await expect(page.getByRole('cell', { name: 'Active', exact: true })).toBeVisible()
  await page.getByRole('row').filter({ hasText: user.email }).getByRole('link').click()
  await page.getByLabel('Full name').fill('Renamed Example')
  await page.getByLabel('Active').uncheck()
  await page.getByLabel('Verified').uncheck()
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByText('User saved')).toBeVisible()
  await page.getByRole('searchbox').fill(user.email)
  await expect(page.getByRole('link', { name: 'Renamed Example', exact: true })).toBeVisible()
  await expect(page.getByRole('cell', { name: 'Inactive', exact: true })).toBeVisible()

  await page.getByRole('button', { name: 'Actions: Renamed Example' }).click()
  await page.getByRole('menuitem', { name: 'Delete' }).click()
  await expect(page.getByLabel('Current password')).toHaveCount(0)
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  await expect(page.getByText('User deleted')).toBeVisible()
  await expect(page.getByText(`Nothing matches “${user.email}”.`)).toBeVisible()
})

test('a superuser sets another user’s password', async ({ page, superuser, user }) => {
  await openAs(page, superuser, `/main/admin/users/edit/${user.id}`)
  await page.getByLabel('Password', { exact: true }).fill('a given password')
  await page.getByLabel('Confirm password').fill('a given password')
  await page.getByLabel('Email').fill(newEmail())
  await page.getByLabel('Email').fill(user.email)
  await expect(page.getByLabel('Current password')).toHaveCount(0)
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByText('User saved')).toBeVisible()
  await logOut(page)
  await fillLogin(page, user.email, 'a given password')
  await expect(page).toHaveURL(/dashboard$/)
})

test('losing superuser status takes effect immediately', async ({ page, superuser }) => {
  await openAs(page, superuser, `/main/admin/users/edit/${superuser.id}`)
  await page.getByLabel('Superuser').uncheck()
  await page.getByRole('button', { name: 'Save' }).click()
  const question = page.getByRole('alertdialog', { name: 'Remove your own superuser status?' })
  await expect(question).toHaveAccessibleDescription('You will lose access to user management.')
  await question.getByRole('button', { name: 'Remove superuser status' }).click()
  await expect(page.getByRole('heading', { name: 'No access' })).toBeVisible()
  await expect(page.getByRole('link', { name: 'Users' })).toHaveCount(0)
})

test('the language of another user can be changed', async ({ page, superuser, user }) => {
  await openAs(page, superuser, `/main/admin/users/edit/${user.id}`)
  await expect(page.getByLabel('Language', { exact: true })).toHaveValue('English')
  await choose(page, 'Language', 'Russian')
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByText('User saved')).toBeVisible()
  const { data } = await usersReadUserMe({ client: user.client })
  expect(data.language).toBe('ru')
})

test('superusers are asked before they can’t log in again without a confirmation', async ({
  page,
  superuser,
}) => {
  await openAs(page, superuser, `/main/admin/users/edit/${superuser.id}`)
  await expect(page.getByLabel('Email')).toHaveValue(superuser.email)
  await page.getByLabel('Verified').uncheck()
  await page.getByRole('button', { name: 'Save' }).click()
  const question = page.getByRole('alertdialog', { name: 'Mark your own email as not verified?' })
  await expect(question).toHaveAccessibleDescription(
    "You will be logged out and can't log in again until you confirm your email.",
  )
  await expect(page.getByLabel('Language', { exact: true })).toHaveCount(0)
  await question.getByRole('button', { name: 'Mark as not verified' }).click()
  await expect(page.getByRole('heading', { name: 'Log in' })).toBeVisible()
  await fillLogin(page, superuser.email, PASSWORD)
  await expect(page.getByText('Confirm your email first')).toBeVisible()
})

test('changing one’s own email requires the current password', async ({ page, superuser }) => {
  const email = newEmail()
  await openAs(page, superuser, `/main/admin/users/edit/${superuser.id}`)
  await page.getByLabel('Full name').fill('Renamed Example')
  await expect(page.getByLabel('Current password')).toHaveCount(0)
  await page.getByLabel('Email').fill(email)
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByText('Required', { exact: true })).toBeVisible()
  await expect(page.getByLabel('Current password')).toBeFocused()
  await page.getByLabel('Current password').fill('a wrong password')
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByText('Incorrect password')).toBeVisible()
  await expect(page.getByLabel('Current password')).toBeFocused()
  await expect(page.getByRole('alert').filter({ hasText: 'Incorrect password' })).toHaveCount(1)

  await page.getByLabel('Current password').fill(PASSWORD)
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByText('User saved')).toBeVisible()
  await logOut(page)
  await fillLogin(page, email, PASSWORD)
  await expect(page.getByText('Welcome, Renamed Example')).toBeVisible()
})

test('a change of case in one’s own email requires no password', async ({ page, superuser }) => {
  await openAs(page, superuser, `/main/admin/users/edit/${superuser.id}`)
  await page.getByLabel('Email').fill(superuser.email.toUpperCase())
  await page.getByLabel('Full name').fill('Renamed Example')
  await expect(page.getByLabel('Current password')).toHaveCount(0)
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByText('User saved')).toBeVisible()
})

test('changing one’s own password requires the current one and keeps the session', async ({
  page,
  superuser,
}) => {
  await openAs(page, superuser, `/main/admin/users/edit/${superuser.id}`)
  await page.getByLabel('Password', { exact: true }).fill('my new password')
  await page.getByLabel('Confirm password').fill('my new password')
  await page.getByLabel('Current password').fill('a wrong password')
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByText('Incorrect password')).toBeVisible()
  await page.getByLabel('Current password').fill(PASSWORD)
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByText('User saved')).toBeVisible()
  await expect(page.getByRole('heading', { name: 'Users' })).toBeVisible()
  await page.reload()
  await expect(page.getByRole('heading', { name: 'Users' })).toBeVisible()

  await logOut(page)
  await fillLogin(page, superuser.email, 'my new password')
  await expect(page).toHaveURL(/dashboard$/)
})

test('if the login after a password change fails, the new password is asked', async ({
  page,
  superuser,
}) => {
  await page.route('**/login/access-token', (route) =>
    route.fulfill({ status: 429, json: { detail: 'Too Many Requests' } }),
  )
  await openAs(page, superuser, `/main/admin/users/edit/${superuser.id}`)
  await page.getByLabel('Password', { exact: true }).fill('my new password')
  await page.getByLabel('Confirm password').fill('my new password')
  await page.getByLabel('Current password').fill(PASSWORD)
  await page.getByRole('button', { name: 'Save' }).click()
  const dialog = page.getByRole('dialog', { name: 'Your session has ended' })
  await expect(dialog).toBeVisible()
  await page.unroute('**/login/access-token')
  await dialog.getByLabel('Password', { exact: true }).fill('my new password')
  await dialog.getByRole('button', { name: 'Log in' }).click()
  await expect(page.getByText('User saved')).toBeVisible()
  await expect(page.getByRole('heading', { name: 'Users' })).toBeVisible()
})

test('an incorrect password is reported even if the form has no field for it', async ({
  page,
  superuser,
}) => {
  await openAs(page, superuser, `/main/admin/users/edit/${superuser.id}`)
  await page.getByLabel('Full name').fill('Renamed Example')
  // Change the email elsewhere, so that saving the form would change it back.
  await usersUpdateUser({
    client: superuser.client,
    path: { user_id: superuser.id },
    body: { email: newEmail(), current_password: PASSWORD },
  })
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('button', { name: 'Overwrite' }).click()
  await expect(page.getByText('Incorrect password')).toBeVisible()
})

test('deleting one’s own account from the list requires the password', async ({
  page,
  superuser,
}) => {
  await openAs(page, superuser, `/main/admin/users/all?q=${superuser.email}`)
  await page.getByRole('button', { name: `Actions: ${superuser.email}` }).click()
  await page.getByRole('menuitem', { name: 'Delete' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Current password').fill('a wrong password')
  await dialog.getByRole('button', { name: 'Delete' }).click()
  await expect(dialog.getByText('Incorrect password')).toBeVisible()
  await expect(dialog.getByLabel('Current password')).toBeFocused()
  // The field is empty when the dialog is opened again.
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  await page.getByRole('button', { name: `Actions: ${superuser.email}` }).click()
  await page.getByRole('menuitem', { name: 'Delete' }).click()
  await expect(dialog.getByLabel('Current password')).toHaveValue('')
  await dialog.getByLabel('Current password').fill(PASSWORD)
  await dialog.getByRole('button', { name: 'Delete' }).click()
  await expect(page.getByText('Your account was deleted')).toBeVisible()

  await fillLogin(page, superuser.email, PASSWORD)
  await expect(
    page.getByRole('alert').filter({ hasText: 'Incorrect email or password' }),
  ).toBeVisible()
})

for (const path of ['users/all', 'users/create', 'users/edit/1', 'audit']) {
  test(`${path} requires a superuser`, async ({ page, user }) => {
    await openAs(page, user, `/main/admin/${path}`)
    await expect(page.getByRole('heading', { name: 'No access' })).toBeVisible()
    await expect(page.getByRole('link', { name: 'Users' })).toHaveCount(0)
    await expect(page.getByRole('link', { name: 'Audit log' })).toHaveCount(0)
  })
}

test('a search finds users by name', async ({ page, superuser }) => {
  const { email } = await createAccount({ full_name: 'Zoë Unusual' })
  await openAs(page, superuser, '/main/admin/users/all?q=zoë%20unus&sort=-email')
  await expect(page.getByRole('cell', { name: email, exact: true })).toBeVisible()
})
