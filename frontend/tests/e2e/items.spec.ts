import { itemsReadItem, itemsReadItems } from '../../src/client'
import type { ApiError } from '../../src/api'
import { seriousViolations } from './axe'
import { expect, openAs, test } from './fixtures'
import { createItem } from './records/items'

test('an item is created, changed and deleted', async ({ page, user }) => {
  await openAs(page, user)
  await page.getByRole('link', { name: 'Items', exact: true }).click()
  await expect(page).toHaveTitle(/^Items/)
  await expect(page.getByText('No items yet')).toBeVisible()
  await page.getByRole('link', { name: 'Create item' }).click()
  await expect(page).toHaveTitle(/^Create item/)
  await page.getByLabel('Title', { exact: true }).fill('Title')
  await page.getByLabel('Description', { exact: true }).fill('Description')
  await page.getByRole('button', { name: 'Create' }).click()
  await expect(page.getByText('Item created')).toBeVisible()
  const list = await itemsReadItems({ client: user.client, query: { sort: '-id' } })
  const { id } = list.data.find(({ owner_id }) => owner_id === user.id)!
  const read = async () => (await itemsReadItem({ client: user.client, path: { id } })).data
  expect(await read()).toMatchObject({
    owner_id: user.id,
    title: 'Title',
    description: 'Description',
  })

  // Saving the form without a change keeps every value.
  const before = await read()
  await page.goto(`/main/items/edit/${id}`)
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByText('Item saved')).toBeVisible()
  expect(await read()).toEqual(before)

  await page.goto(`/main/items/edit/${id}`)
  await page.getByLabel('Title', { exact: true }).fill('x')
  await page.getByRole('button', { name: 'Save' }).click()
  await expect.poll(async () => (await read()).title).toBe('x')

  await page.goto('/main/items/all')
  await page
    .locator(`[data-row="${id}"]`)
    .getByRole('button', { name: /^Actions: / })
    .click()
  await page.getByRole('menuitem', { name: 'Delete' }).click()
  await expect(page.getByText('Item deleted')).toBeVisible()
  await page.getByRole('button', { name: 'Close' }).click()
  await expect.poll(() => read().catch(({ code }: ApiError) => code)).toBe('not_found')
})

test('texts of an item that are too long are rejected before sending', async ({ page, user }) => {
  await openAs(page, user, '/main/items/create')
  await page.getByLabel('Title', { exact: true }).fill('x'.repeat(256))
  await page.getByLabel('Description', { exact: true }).fill('x'.repeat(10001))
  await page.getByRole('button', { name: 'Create' }).click()
  await expect(page.getByText('At most 255 characters', { exact: true }).first()).toBeVisible()
  await expect(page.getByText('At most 10000 characters', { exact: true }).first()).toBeVisible()
  const overflow = await page.evaluate(() => document.body.scrollWidth - window.innerWidth)
  expect(overflow).toBeLessThanOrEqual(0)
})

test('items of other users are hidden', async ({ page, user, superuser }) => {
  const record = await createItem(superuser.client)
  await openAs(page, user, '/main/items/all')
  await expect(page.getByText('No items yet')).toBeVisible()
  await page.goto(`/main/items/edit/${record.id}`)
  await expect(page.getByText("You don't have permission for this.")).toBeVisible()
  await page.goto('/main/items/edit/2000000000')
  await expect(page.getByText('Not found. It may have been deleted.')).toBeVisible()
})

test('the views of items are accessible', async ({ page, user }) => {
  const { id } = await createItem(user.client)
  for (const path of ['all', 'create', `edit/${id}`]) {
    await openAs(page, user, `/main/items/${path}`)
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
    await page.waitForLoadState('networkidle')
    expect(await seriousViolations(page), path).toEqual([])
  }
})
