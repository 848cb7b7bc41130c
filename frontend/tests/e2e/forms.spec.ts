import type { Page } from '@playwright/test'
import { violations } from './axe'
import { expect, openAs, PASSWORD, test } from './fixtures'
import { createRow, readRow, readRows, updateRow } from './rows'

const WIDTHS = [1280, 390]
const resize = (page: Page, width: number) => page.setViewportSize({ width, height: 844 })
const title = (page: Page) => page.getByLabel('Title', { exact: true })
const stale = (page: Page) =>
  page.getByRole('alert').filter({ hasText: 'This was changed while you were editing' })

for (const width of WIDTHS) {
  test(`a form shows what is required, and how long texts may be, at ${width} px`, async ({
    page,
    user,
  }) => {
    await resize(page, width)
    await openAs(page, user, '/main/items/create')
    await expect(page.getByText('Fields marked * are required')).toBeVisible()
    await expect(title(page)).toBeFocused()
    await expect(title(page)).toHaveAttribute('aria-required', 'true')
    await expect(page.getByLabel('Description', { exact: true })).not.toHaveAttribute(
      'aria-required',
    )
    await title(page).fill('🙂 a title')
    await expect(page.getByText('9 / 255')).toBeVisible()
    await expect(page.getByText('0 / 10,000')).toBeVisible()

    await title(page).fill('')
    await page.keyboard.press('Control+Enter')
    await expect(page.getByText('Required', { exact: true })).toBeVisible()
    await expect(title(page)).toBeFocused()
    await expect(page.getByText('0 / 255')).toBeVisible()
    expect(await violations(page)).toEqual([])
    const overflow = await page.evaluate(() => document.body.scrollWidth - window.innerWidth)
    expect(overflow).toBeLessThanOrEqual(0)
  })

  test(`Ctrl+Enter saves from a field of several lines, at ${width} px`, async ({ page, user }) => {
    await resize(page, width)
    await openAs(page, user, '/main/items/create')
    await title(page).fill('By keyboard')
    await page.getByLabel('Description', { exact: true }).fill('One line')
    await page.keyboard.press('Control+Enter')
    await expect(page).toHaveURL('/main/items/all')

    await page.getByRole('button', { name: 'View' }).click()
    await expect(page.getByRole('heading', { name: 'By keyboard' })).toBeVisible()
    await expect(page).toHaveTitle(/^By keyboard/)
    const data = await readRows(user.client)
    expect(data).toMatchObject([{ title: 'By keyboard', description: 'One line' }])
    await expect(page).toHaveURL(`/main/items/edit/${data[0]!.id}`)
  })

  for (const choice of ['Reload', 'Overwrite'] as const) {
    test(`${choice} after somebody else changed the record, at ${width} px`, async ({
      page,
      user,
    }) => {
      const { id } = await createRow(user.client, { title: 'Stored' })
      await resize(page, width)
      await openAs(page, user, `/main/items/edit/${id}`)
      await expect(title(page)).toHaveValue('Stored')
      const body = { title: 'Of somebody else', description: 'Kept' }
      await updateRow(user.client, id, body)
      await title(page).fill('Mine')
      await page.getByRole('button', { name: 'Save changes' }).click()
      await expect(stale(page)).toBeVisible()
      await expect(title(page)).toHaveValue('Mine')
      const read = () => readRow(user.client, id)
      expect(await read()).toMatchObject(body)
      expect(await violations(page)).toEqual([])

      await stale(page).getByRole('button', { name: choice }).click()
      await expect(stale(page)).toHaveCount(0)
      if (choice === 'Reload') {
        await expect(title(page)).toHaveValue('Of somebody else')
        await expect(page.getByLabel('Description', { exact: true })).toHaveValue('Kept')
        // The loaded values are no unsaved input.
        await page.getByRole('button', { name: 'Cancel' }).click()
      } else {
        await expect(page.getByText('Item saved')).toBeVisible()
        expect(await read()).toMatchObject({ title: 'Mine', description: null })
      }
      await expect(page).toHaveURL('/main/items/all')
    })
  }

  test(`a record is deleted from its form, at ${width} px`, async ({ page, user }) => {
    const { id } = await createRow(user.client, { title: 'Stored' })
    await resize(page, width)
    await openAs(page, user, `/main/items/edit/${id}`)
    await expect(title(page)).toBeFocused()
    await page.getByRole('button', { name: 'Delete' }).click()
    await expect(page).toHaveURL('/main/items/all')
    await expect(page.getByText('Item deleted')).toBeVisible()
    await expect(page.getByText('Stored')).toHaveCount(0)
    await page.getByRole('button', { name: 'Undo' }).click()
    await expect(page.getByText('Stored')).toBeVisible()
    expect((await readRow(user.client, id)).title).toBe('Stored')
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
  await page.getByRole('link', { name: 'Items', exact: true }).click()
  await question.getByRole('button', { name: 'Keep editing' }).click()
  await page.getByLabel('Current password').fill('')
  await page.getByRole('link', { name: 'Items', exact: true }).click()
  await expect(page).toHaveURL('/main/items/all')
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
