import { usersReadUserById } from '../../src/client'
import { violations } from './axe'
import { createAccount, expect, fillLogin, hold, openAs, PASSWORD, test } from './fixtures'

test('before unsaved input is lost, the user is asked', async ({ page, superuser }) => {
  const { id, email } = await createAccount({ full_name: 'Stored' })
  const list = `/main/admin/users/all?q=${email}`
  const form = `/main/admin/users/edit/${id}`
  await openAs(page, superuser, list)
  await page.getByRole('row').filter({ hasText: email }).getByRole('link').click()
  const name = page.getByLabel('Full name')
  const menuLink = page.getByRole('link', { name: 'Dashboard' }).first()
  const question = page.getByRole('alertdialog', { name: 'Discard changes?' })
  // Playwright's goBack would wait for a navigation.
  const goBack = () =>
    page.evaluate(
      () =>
        new Promise<void>((resolve) => {
          window.addEventListener('popstate', () => resolve(), { once: true })
          history.back()
        }),
    )
  const keepEditing = async () => {
    await question.getByRole('button', { name: 'Keep editing' }).click()
    await expect(question).toBeHidden()
    await expect(page).toHaveURL(form)
    await expect(name).toHaveValue('Typed')
  }

  // Typing and deleting again is no change.
  await name.fill('Typed')
  await name.fill('Stored')
  await page.getByLabel('Password', { exact: true }).fill('x')
  await page.getByLabel('Password', { exact: true }).fill('')
  await page.getByRole('button', { name: 'Cancel' }).click()
  await expect(page).toHaveURL(list)

  await page.goForward()
  await name.fill('Typed')
  await menuLink.focus()
  await page.keyboard.press('Enter')
  await expect(question.getByRole('button', { name: 'Keep editing' })).toBeFocused()
  await expect(question).toHaveAccessibleDescription('What you entered has not been saved.')
  expect(await violations(page)).toEqual([])
  await page.keyboard.press('Escape')
  await expect(question).toBeHidden()
  await expect(menuLink).toBeFocused()
  await page.getByRole('button', { name: 'Cancel' }).click()
  await keepEditing()
  const menu = page.getByRole('button', { name: /^Account: / })
  await menu.click()
  await page.getByRole('menuitem', { name: 'Log out' }).click()
  await keepEditing()
  await expect(menu).toBeFocused()

  // The second Back comes while the question is open.
  await name.focus()
  await goBack()
  await expect(question).toBeVisible()
  await expect(page).toHaveURL(form)
  await goBack()
  await keepEditing()
  await expect(name).toBeFocused()

  const browserDialogs: string[] = []
  page.on('dialog', (dialog) => {
    browserDialogs.push(dialog.type())
    void dialog.dismiss()
  })
  await page.evaluate(() => location.reload())
  await expect.poll(() => browserDialogs).toEqual(['beforeunload'])
  await expect(name).toHaveValue('Typed')

  await goBack()
  await question.getByRole('button', { name: 'Discard' }).click()
  await expect(page).toHaveURL(list)
  // The history is the same as without a question.
  await page.goForward()
  await expect(name).toHaveValue('Stored')
  await name.fill('Typed')
  await menuLink.click()
  await question.getByRole('button', { name: 'Discard' }).click()
  await expect(page).toHaveURL('/main/dashboard')
  await page.goBack()
  await expect(name).toHaveValue('Stored')
  await page.reload()
  await expect(name).toHaveValue('Stored')
  expect(browserDialogs).toHaveLength(1)
})

test('the question is asked after a failed save, and not after a successful one', async ({
  page,
  user,
}) => {
  const browserDialogs: string[] = []
  page.on('dialog', (dialog) => {
    browserDialogs.push(dialog.type())
    void dialog.accept()
  })
  await openAs(page, user, '/main/profile/edit')
  const menuLink = page.getByRole('link', { name: 'Dashboard' }).first()
  const question = page.getByRole('alertdialog', { name: 'Discard changes?' })
  await page.getByLabel('Full name').fill('Typed')
  const release = await hold(page, '**/api/v1/users/me', 'PUT')
  await page.route(
    '**/api/v1/users/me',
    (route) => route.fulfill({ status: 500, json: { detail: 'x', code: 'internal_error' } }),
    { times: 1 },
  )
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByText('Something went wrong on the server.')).toBeVisible()
  await menuLink.click()
  await question.getByRole('button', { name: 'Keep editing' }).click()

  await page.getByRole('button', { name: 'Save' }).click()
  await menuLink.click()
  await expect(question).toBeVisible()
  // While the question is open, the save succeeds.
  release()
  await expect(question).toBeHidden()
  await expect(page.getByRole('main').getByText('Typed')).toBeVisible()
  await page.reload()
  await expect(page.getByRole('main').getByText('Typed')).toBeVisible()
  expect(browserDialogs).toEqual([])
})

test('public forms and the end of the session ask no question', async ({ page, user }) => {
  await openAs(page, user, '/main/profile/edit')
  await page.getByLabel('Full name').fill('Typed')
  await page.route('**/api/v1/users/me', (route) =>
    route.fulfill({ status: 403, json: { detail: 'x', code: 'inactive_user' } }),
  )
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page).toHaveURL(/\/login\?/)
  await page.getByLabel('Email').fill('typed@example.com')
  await page.getByRole('link', { name: 'Forgot password?' }).click()
  await page.getByLabel('Email').fill('typed@example.com')
  await page.getByRole('link', { name: 'Back to log in' }).click()
  await expect(page.getByRole('button', { name: 'Log in' })).toBeVisible()
})

test('deactivating one’s own account requires a confirmation', async ({ page, superuser }) => {
  await openAs(page, superuser, `/main/admin/users/edit/${superuser.id}`)
  const save = page.getByRole('button', { name: 'Save' })
  const question = page.getByRole('alertdialog', { name: 'Deactivate your own account?' })
  await page.getByLabel('Active').uncheck()
  await save.click()
  await expect(question).toHaveAccessibleDescription(
    "You will be logged out and can't log in again until another administrator activates your account.",
  )
  await question.getByRole('button', { name: 'Cancel' }).click()
  await expect(question).toBeHidden()
  await expect(save).toBeFocused()
  const path = { user_id: superuser.id }
  const { data } = await usersReadUserById({ client: superuser.client, path })
  expect(data.is_active).toBe(true)

  await save.click()
  await question.getByRole('button', { name: 'Deactivate' }).click()
  await expect(page).toHaveURL('/login')
  await expect(page.getByText('Your account was deactivated')).toBeVisible()
  await fillLogin(page, superuser.email, PASSWORD)
  await expect(
    page.getByRole('alert').filter({ hasText: 'This account is deactivated.' }),
  ).toBeVisible()
})
