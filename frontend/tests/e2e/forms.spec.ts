import type { Page } from '@playwright/test'
import { usersReadUserById, usersReadUsers, usersUpdateUser } from '../../src/client'
import { violations } from './axe'
import { createAccount, expect, newEmail, openAs, PASSWORD, test } from './fixtures'

const WIDTHS = [1280, 390]
const resize = (page: Page, width: number) => page.setViewportSize({ width, height: 844 })
const fullName = (page: Page) => page.getByLabel('Full name', { exact: true })
const stale = (page: Page) =>
  page.getByRole('alert').filter({ hasText: 'This was changed while you were editing' })

for (const width of WIDTHS) {
  test(`a form shows what is required, and how long texts may be, at ${width} px`, async ({
    page,
    superuser,
  }) => {
    await resize(page, width)
    await openAs(page, superuser, '/main/admin/users/create')
    const email = page.getByLabel('Email', { exact: true })
    await expect(page.getByText('Fields marked * are required')).toBeVisible()
    await expect(fullName(page)).toBeFocused()
    await expect(fullName(page)).not.toHaveAttribute('aria-required')
    await expect(email).toHaveAttribute('aria-required', 'true')
    await fullName(page).fill('🙂 a name')
    await expect(page.getByText('8 / 255')).toBeVisible()
    await fullName(page).fill('')
    await expect(page.getByText('0 / 255')).toBeVisible()

    await page.keyboard.press('Control+Enter')
    await expect(email).toHaveAccessibleDescription('Required')
    await expect(email).toBeFocused()
    expect(await violations(page)).toEqual([])
    const overflow = await page.evaluate(() => document.body.scrollWidth - window.innerWidth)
    expect(overflow).toBeLessThanOrEqual(0)
  })

  test(`Ctrl+Enter saves, and the notification leads to the record, at ${width} px`, async ({
    page,
    superuser,
  }) => {
    const q = newEmail()
    await resize(page, width)
    await openAs(page, superuser, '/main/admin/users/create')
    await fullName(page).fill('By keyboard')
    await page.getByLabel('Email', { exact: true }).fill(q)
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
    await page.getByLabel('Confirm password').fill(PASSWORD)
    await page.keyboard.press('Control+Enter')
    await expect(page).toHaveURL('/main/admin/users/all')

    await page.getByRole('button', { name: 'View' }).click()
    await expect(page.getByRole('heading', { name: 'By keyboard' })).toBeVisible()
    await expect(page).toHaveTitle(/^By keyboard/)
    const { data } = await usersReadUsers({ client: superuser.client, query: { q } })
    expect(data).toMatchObject([{ full_name: 'By keyboard', email: q }])
    await expect(page).toHaveURL(`/main/admin/users/edit/${data[0]!.id}`)
  })

  for (const choice of ['Reload', 'Overwrite'] as const) {
    test(`${choice} after somebody else changed the record, at ${width} px`, async ({
      page,
      superuser,
    }) => {
      const { id } = await createAccount({ full_name: 'Stored', language: 'en' })
      const options = { client: superuser.client, path: { user_id: id } }
      const read = async () => (await usersReadUserById(options)).data
      await resize(page, width)
      await openAs(page, superuser, `/main/admin/users/edit/${id}`)
      await expect(fullName(page)).toHaveValue('Stored')
      const body = { full_name: 'Of somebody else', language: 'ru' } as const
      await usersUpdateUser({ ...options, body })
      await fullName(page).fill('Mine')
      await page.getByRole('button', { name: 'Save changes' }).click()
      await expect(stale(page)).toBeVisible()
      await expect(fullName(page)).toHaveValue('Mine')
      expect(await read()).toMatchObject(body)
      expect(await violations(page)).toEqual([])

      await stale(page).getByRole('button', { name: choice }).click()
      await expect(stale(page)).toHaveCount(0)
      if (choice === 'Reload') {
        await expect(fullName(page)).toHaveValue('Of somebody else')
        await expect(page.getByLabel('Language', { exact: true })).toHaveValue('Russian')
        // The loaded values are no unsaved input.
        await page.getByRole('button', { name: 'Cancel' }).click()
      } else {
        await expect(page.getByText('User saved')).toBeVisible()
        expect(await read()).toMatchObject({ full_name: 'Mine', language: 'en' })
      }
      await expect(page).toHaveURL('/main/admin/users/all')
    })
  }

  test(`a record is deleted from its form, at ${width} px`, async ({ page, superuser, user }) => {
    await resize(page, width)
    await openAs(page, superuser, `/main/admin/users/edit/${user.id}`)
    await expect(fullName(page)).toBeFocused()
    await page.getByRole('button', { name: 'Delete' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
    await expect(page).toHaveURL('/main/admin/users/all')
    await expect(page.getByText('User deleted')).toBeVisible()
    await page.getByRole('searchbox').fill(user.email)
    await expect(page.getByText(`Nothing matches “${user.email}”.`)).toBeVisible()
  })

  test(`the paths of the original template lead to sections, at ${width} px`, async ({
    page,
    user,
  }) => {
    await resize(page, width)
    await openAs(page, user, '/main/profile/password')
    await expect(page).toHaveURL('/main/settings#password')
    await expect(page.getByRole('heading', { name: 'Password' })).toBeInViewport()
    await page.goto('/main/profile/edit')
    await expect(page).toHaveURL('/main/settings#profile')
    await expect(page.getByLabel('Full name')).toBeInViewport()

    const links = page.getByRole('navigation', { name: 'Sections' })
    await links.getByRole('link', { name: 'Danger zone' }).click()
    await expect(page.getByRole('button', { name: 'Delete my account' })).toBeInViewport()
    await expect(links.getByRole('link', { name: 'Danger zone' })).toHaveAttribute(
      'aria-current',
      'location',
    )
    expect(await violations(page)).toEqual([])
  })
}

test('one form of the settings is saved, and the input of the other is kept', async ({
  page,
  user,
}) => {
  await openAs(page, user, '/main/settings')
  await page.getByLabel('Current password').fill(PASSWORD)
  await page.getByLabel('Full name').fill('Ada Example')
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await expect(page.getByText('Profile saved')).toBeVisible()
  await expect(page.getByLabel('Current password')).toHaveValue(PASSWORD)

  const question = page.getByRole('alertdialog', { name: 'Discard changes?' })
  await page.getByRole('link', { name: 'Jobs', exact: true }).click()
  await question.getByRole('button', { name: 'Keep editing' }).click()
  await page.getByLabel('Current password').fill('')
  await page.getByRole('link', { name: 'Jobs', exact: true }).click()
  await expect(page).toHaveURL('/main/jobs')
})

test('theme and language are chosen in the settings', async ({ page, user }) => {
  await openAs(page, user, '/main/settings#appearance')
  await page.getByRole('radio', { name: 'Dark' }).check()
  await expect(page.locator('.v-application')).toHaveClass(/v-theme--dark/)
  await page
    .getByLabel('Language', { exact: true })
    .and(page.locator('input'))
    .click({ force: true })
  await page.getByRole('option', { name: 'Русский' }).click()
  await expect(page.getByRole('heading', { name: 'Настройки' })).toBeVisible()
})
