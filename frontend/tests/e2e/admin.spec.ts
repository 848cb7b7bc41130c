import { createAccount, expect, fillLogin, newEmail, openAs, PASSWORD, test } from './fixtures'

test('a user is created, and can log in', async ({ page, superuser }) => {
  const email = newEmail()
  await openAs(page, superuser, '/main/admin/users/create')
  await page.getByLabel('Full name').fill('New Example')
  await page.getByLabel('E-mail').fill(email)
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await page.getByLabel('Confirm password').fill(PASSWORD)
  await page.getByRole('button', { name: 'Create' }).click()
  await expect(page.getByText('User created')).toBeVisible()
  await page.getByRole('searchbox').fill(email)
  await expect(page.getByRole('cell', { name: 'New Example', exact: true })).toBeVisible()

  await page.getByText('Logout').click()
  await fillLogin(page, email, PASSWORD)
  await expect(page.getByText('Welcome New Example')).toBeVisible()
})

test('a taken e-mail and an impossible one are named at the field', async ({
  page,
  superuser,
  user,
}) => {
  await openAs(page, superuser, '/main/admin/users/create')
  await page.getByLabel('E-mail').fill(user.email)
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await page.getByLabel('Confirm password').fill(PASSWORD)
  await page.getByRole('button', { name: 'Create' }).click()
  await expect(
    page.getByText('The user with this username already exists in the system'),
  ).toBeVisible()
  // Well-formed, but only the API knows that no mail can be sent there.
  await page.getByLabel('E-mail').fill('somebody@example.invalid')
  await page.getByRole('button', { name: 'Create' }).click()
  await expect(page.getByText('This is no valid e-mail')).toBeVisible()
  await expect(page).toHaveURL(/users\/create$/)
})

test('a user is renamed, deactivated and deleted', async ({ page, superuser, user }) => {
  await openAs(page, superuser, `/main/admin/users/all?q=${user.email}`)
  await page.getByRole('link', { name: `Edit: ${user.email}` }).click()
  await page.getByLabel('Full name').fill('Renamed Example')
  await page.getByLabel('Active').uncheck()
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByText('User saved')).toBeVisible()
  await page.getByRole('searchbox').fill(user.email)
  await expect(page.getByRole('cell', { name: 'Renamed Example', exact: true })).toBeVisible()
  await expect(page.getByRole('img', { name: 'Active' })).toHaveCount(0)

  await page.getByRole('button', { name: `Delete: ${user.email}` }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  await expect(page.getByText('User deleted')).toBeVisible()
  await expect(page.getByText(`Nothing matches “${user.email}”.`)).toBeVisible()
})

test('a user is given another password', async ({ page, superuser, user }) => {
  await openAs(page, superuser, `/main/admin/users/edit/${user.id}`)
  await page.getByLabel('Password', { exact: true }).fill('a given password')
  await page.getByLabel('Confirm password').fill('a given password')
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByText('User saved')).toBeVisible()
  await page.getByText('Logout').click()
  await fillLogin(page, user.email, 'a given password')
  await expect(page).toHaveURL(/dashboard$/)
})

test('superusers see a change of their own at once', async ({ page, superuser }) => {
  await openAs(page, superuser, `/main/admin/users/edit/${superuser.id}`)
  await page.getByLabel('Superuser').uncheck()
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByRole('heading', { name: 'No access' })).toBeVisible()
  await expect(page.getByText('Manage Users')).toHaveCount(0)
})

for (const path of ['all', 'create', 'edit/1']) {
  test(`users/${path} is not for everybody`, async ({ page, user }) => {
    await openAs(page, user, `/main/admin/users/${path}`)
    await expect(page.getByRole('heading', { name: 'No access' })).toBeVisible()
    await expect(page.getByText('Manage Users')).toHaveCount(0)
  })
}

test('many users are found by e-mail and name', async ({ page, superuser }) => {
  const { email } = await createAccount({ full_name: 'Zoë Unusual' })
  await openAs(page, superuser, '/main/admin/users/all?q=zoë%20unus&sort=-email')
  await expect(page.getByRole('cell', { name: email, exact: true })).toBeVisible()
})
