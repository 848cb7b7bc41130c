import { itemsCreateItem } from '../../src/client'
import { seriousViolations } from './axe'
import { expect, openAs, test } from './fixtures'

test('an item is created, changed and deleted', async ({ page, user }) => {
  await openAs(page, user)
  await page.getByRole('link', { name: 'Items' }).click()
  await expect(page).toHaveTitle(/^Items/)
  await expect(page.getByText('There are no items yet.')).toBeVisible()
  await page.getByRole('link', { name: 'Create item' }).click()
  await expect(page).toHaveTitle(/^Create item/)
  await page.getByRole('button', { name: 'Create' }).click()
  await expect(page.getByText('Required', { exact: true })).toBeVisible()
  await expect(page.getByLabel('Title')).toBeFocused()
  await page.getByLabel('Title').fill('A title')
  await page.getByLabel('Description').fill('A description')
  await page.getByRole('button', { name: 'Create' }).click()
  await expect(page.getByText('Item created')).toBeVisible()
  await expect(page.getByRole('cell', { name: 'A description', exact: true })).toBeVisible()

  await page.getByRole('link', { name: 'Edit: A title' }).click()
  await expect(page).toHaveTitle(/^Edit item/)
  await expect(page.getByLabel('Description')).toHaveValue('A description')
  await page.getByLabel('Title').fill('Another title')
  await page.getByLabel('Description').fill('')
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByText('Item saved')).toBeVisible()
  await expect(page.getByRole('cell', { name: 'Another title', exact: true })).toBeVisible()
  await expect(page.getByText('A description')).toHaveCount(0)

  await page.getByRole('button', { name: 'Delete: Another title' }).click()
  await expect(page.getByText('Delete the item “Another title”?')).toBeVisible()
  await page.getByRole('button', { name: 'Cancel' }).click()
  await page.getByRole('button', { name: 'Delete: Another title' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  await expect(page.getByText('Item deleted')).toBeVisible()
  await expect(page.getByText('There are no items yet.')).toBeVisible()
})

test('a text that is too long is rejected before sending', async ({ page, user }) => {
  await openAs(page, user, '/main/items/create')
  await page.getByLabel('Title').fill('x'.repeat(256))
  await page.getByLabel('Description').fill('x'.repeat(10_001))
  await page.getByRole('button', { name: 'Create' }).click()
  await expect(page.getByText('At most 255 characters')).toBeVisible()
  await expect(page.getByText('At most 10000 characters')).toBeVisible()
  await page.getByLabel('Title').fill('x'.repeat(255))
  await page.getByLabel('Description').fill('x'.repeat(10_000))
  await page.getByRole('button', { name: 'Create' }).click()
  await expect(page.getByText('Item created')).toBeVisible()
  const overflow = await page.evaluate(() => document.body.scrollWidth - window.innerWidth)
  expect(overflow).toBeLessThanOrEqual(0)
})

test('users see only their own items, and superusers see all', async ({
  page,
  user,
  superuser,
}) => {
  const title = `Item of ${user.email}`
  await itemsCreateItem({ client: superuser.client, body: { title: 'Not for users' } })
  await itemsCreateItem({ client: user.client, body: { title } })
  await openAs(page, user, '/main/items/all')
  await expect(page.getByRole('cell', { name: title, exact: true })).toBeVisible()
  await expect(page.getByText('1-1 of 1')).toBeVisible()

  await openAs(page, superuser, `/main/items/all?q=${encodeURIComponent(user.email)}`)
  await expect(page.getByRole('cell', { name: title, exact: true })).toBeVisible()
})

test('items of others and missing items cannot be edited', async ({ page, user, superuser }) => {
  const { data } = await itemsCreateItem({ client: superuser.client, body: { title: 'Mine' } })
  await openAs(page, user, `/main/items/edit/${data.id}`)
  await expect(page.getByText("You don't have permission for this.")).toBeVisible()
  await page.goto('/main/items/edit/2000000000')
  await expect(page.getByText('Not found. It may have been deleted.')).toBeVisible()
})

test('the views of items are accessible', async ({ page, user }) => {
  const { data } = await itemsCreateItem({ client: user.client, body: { title: 'An item' } })
  for (const path of ['all', 'create', `edit/${data.id}`]) {
    await openAs(page, user, `/main/items/${path}`)
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
    await page.waitForLoadState('networkidle')
    expect(await seriousViolations(page), path).toEqual([])
  }
})
