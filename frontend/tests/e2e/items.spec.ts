import { itemsCreateItem, itemsUpdateItem } from '../../src/client'
import { type Account, expect, openAs, test } from './fixtures'

async function createItems({ client }: Account, titles: string[]): Promise<void> {
  for (const title of titles) await itemsCreateItem({ client, body: { title } })
}

const numbered = (count: number) =>
  Array.from({ length: count }, (_, place) => `Item ${String(place + 1).padStart(2, '0')}`)

test('an item is created, changed and deleted', async ({ page, user }) => {
  await openAs(page, user, '/main/items/all')
  await expect(page.getByText('There are no items yet.')).toBeVisible()
  await page.getByRole('link', { name: 'Create item' }).click()
  await page.getByRole('button', { name: 'Create' }).click()
  await expect(page.getByText('This is needed')).toBeVisible()
  await expect(page.getByLabel('Title')).toBeFocused()
  await page.getByLabel('Title').fill('A title')
  await page.getByLabel('Description').fill('A description')
  await page.getByRole('button', { name: 'Create' }).click()
  await expect(page.getByText('Item created')).toBeVisible()
  await expect(page.getByRole('cell', { name: 'A description', exact: true })).toBeVisible()

  await page.getByRole('link', { name: 'Edit: A title' }).click()
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

test('pages are turned, and the address keeps the place', async ({ page, user }) => {
  await createItems(user, numbered(12))
  await openAs(page, user, '/main/items/all')
  await expect(page.getByText('1-10 of 12')).toBeVisible()
  await page.getByRole('button', { name: 'Next page' }).click()
  await expect(page).toHaveURL(/page=2$/)
  await expect(page.getByText('11-12 of 12')).toBeVisible()
  await page.reload()
  await expect(page.getByRole('cell', { name: 'Item 12', exact: true })).toBeVisible()
  await page.goBack()
  await expect(page.getByText('1-10 of 12')).toBeVisible()
  await expect(page.getByRole('cell', { name: 'Item 01', exact: true })).toBeVisible()
})

test('after an edit the list is as it was left', async ({ page, user }) => {
  await createItems(user, numbered(12))
  await openAs(page, user, '/main/items/all?page=2&sort=-title')
  await page.getByRole('link', { name: 'Edit: Item 02' }).click()
  await page.getByRole('button', { name: 'Cancel' }).click()
  await expect(page).toHaveURL(/page=2&sort=-title$/)
  await page.getByRole('link', { name: 'Edit: Item 02' }).click()
  await page.getByLabel('Title').fill('Item 00')
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page).toHaveURL(/page=2&sort=-title$/)
  await expect(page.getByRole('cell', { name: 'Item 00', exact: true })).toBeVisible()
})

test('the form of one item never shows another', async ({ page, user }) => {
  await createItems(user, ['First', 'Second'])
  await openAs(page, user, '/main/items/all')
  await page.getByRole('link', { name: 'Edit: First' }).click()
  await expect(page.getByLabel('Title')).toHaveValue('First')
  await page.getByRole('link', { name: 'Items' }).click()
  await page.getByRole('link', { name: 'Edit: Second' }).click()
  await expect(page.getByLabel('Title')).toHaveValue('Second')
  await page.evaluate(() => history.go(-2))
  await expect(page.getByLabel('Title')).toHaveValue('First')
})

test('the form shows what others have changed meanwhile', async ({ page, user }) => {
  await createItems(user, ['Before'])
  await openAs(page, user, '/main/items/all')
  await page.getByRole('link', { name: 'Edit: Before' }).click()
  await page.getByRole('button', { name: 'Cancel' }).click()
  const id = Number(await page.getByRole('cell').first().textContent())
  const body = { title: 'After', description: 'By somebody else' }
  await itemsUpdateItem({ client: user.client, path: { id }, body })
  await page.getByRole('link', { name: /^Edit: / }).click()
  await expect(page.getByLabel('Title')).toHaveValue('After')
  await expect(page.getByLabel('Description')).toHaveValue('By somebody else')
})

test('columns sort in both directions', async ({ page, user }) => {
  await createItems(user, ['b', 'c', 'a'])
  await openAs(page, user, '/main/items/all')
  const first = page.getByRole('row').nth(1)
  await expect(first).toContainText('b')
  await page.getByRole('columnheader', { name: 'Title' }).click()
  await expect(page).toHaveURL(/sort=title$/)
  await expect(first).toContainText('a')
  await page.getByRole('columnheader', { name: 'Title' }).click()
  await expect(page).toHaveURL(/sort=-title$/)
  await expect(first).toContainText('c')
})

test('sorting and the page size count on any page', async ({ page, user }) => {
  await createItems(user, numbered(12))
  await openAs(page, user, '/main/items/all?page=2')
  await page.getByRole('columnheader', { name: 'Title' }).click()
  await expect(page).toHaveURL(/all\?sort=title$/)
  await expect(page.getByText('1-10 of 12')).toBeVisible()
  await page.getByRole('button', { name: 'Next page' }).click()
  await expect(page.getByText('11-12 of 12')).toBeVisible()
  await page.getByRole('combobox').first().click()
  await page.getByRole('option', { name: '25' }).click()
  await expect(page).toHaveURL(/all\?limit=25&sort=title$/)
  await expect(page.getByText('1-12 of 12')).toBeVisible()
})

test('Back leads away from a page that is no more', async ({ page, user }) => {
  await openAs(page, user)
  await page.getByRole('link', { name: 'Items' }).click()
  await expect(page.getByText('There are no items yet.')).toBeVisible()
  await page.evaluate(() => location.assign('/main/items/all?page=999'))
  await expect(page.getByText('0-0 of 0')).toBeVisible()
  await expect(page).toHaveURL(/all$/)
  await page.goBack()
  await page.goBack()
  await expect(page).toHaveURL(/dashboard$/)
})

test('a search that is still typed ends with its page', async ({ page, superuser }) => {
  await openAs(page, superuser, '/main/items/all')
  await page.getByRole('searchbox').fill('word')
  await page.getByRole('link', { name: 'Manage Users' }).click()
  await expect(page.getByRole('heading', { name: 'Manage Users' })).toBeVisible()
  await page.getByRole('searchbox').fill(superuser.email)
  await expect(page.getByText('1-1 of 1')).toBeVisible()
  await expect(page).toHaveURL(`/main/admin/users/all?q=${superuser.email}`)
})

test('a search finds titles, and nothing says so', async ({ page, user }) => {
  await createItems(user, ['Apple', 'Apricot', 'Banana'])
  await openAs(page, user, '/main/items/all')
  await page.getByRole('searchbox').fill('AP')
  await expect(page.getByRole('cell', { name: 'Banana', exact: true })).toHaveCount(0)
  await expect(page.getByRole('cell', { name: 'Apricot', exact: true })).toBeVisible()
  await expect(page).toHaveURL(/q=AP$/)
  await page.getByRole('searchbox').fill('%')
  await expect(page.getByText('Nothing matches “%”.')).toBeVisible()
  await page.getByRole('searchbox').fill('')
  await expect(page.getByRole('cell', { name: 'Banana', exact: true })).toBeVisible()
})

test('with the last row of the last page gone, the page before is shown', async ({
  page,
  user,
}) => {
  await createItems(user, numbered(11))
  await openAs(page, user, '/main/items/all?page=2')
  await page.getByRole('button', { name: 'Delete: Item 11' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  await expect(page.getByText('1-10 of 10')).toBeVisible()
})

test('a user sees only their own items, a superuser everybody’s', async ({
  page,
  user,
  superuser,
}) => {
  const title = `Item of ${user.email}`
  await createItems(superuser, ['Not for users'])
  await createItems(user, [title])
  await openAs(page, user, '/main/items/all')
  await expect(page.getByRole('cell', { name: title, exact: true })).toBeVisible()
  await expect(page.getByText('1-1 of 1')).toBeVisible()

  await openAs(page, superuser, `/main/items/all?q=${encodeURIComponent(user.email)}`)
  await expect(page.getByRole('cell', { name: title, exact: true })).toBeVisible()
})

test('somebody else’s item and a missing one can’t be edited', async ({
  page,
  user,
  superuser,
}) => {
  const { data } = await itemsCreateItem({ client: superuser.client, body: { title: 'Mine' } })
  await openAs(page, user, `/main/items/edit/${data.id}`)
  await expect(page.getByText('Not enough permissions')).toBeVisible()
  await page.goto('/main/items/edit/2000000000')
  await expect(page.getByText('Item not found')).toBeVisible()
})

test('odd texts are shown as they are, and never run', async ({ page, user }) => {
  const odd = [
    '<img src=x onerror="document.title=1"><script>document.title=2</script>',
    '{{ constructor.constructor("document.title=3")() }}',
    '😀 👩‍👩‍👧‍👦 e\u0301',
    'مرحبا بالعالم',
    'W'.repeat(255),
  ]
  await createItems(user, odd)
  const description = 'd'.repeat(10_000)
  await itemsCreateItem({ client: user.client, body: { title: 'Long', description } })
  await openAs(page, user, '/main/items/all')
  for (const title of odd) await expect(page.getByText(title, { exact: true })).toBeVisible()
  await page.getByRole('link', { name: 'Edit: Long' }).click()
  await expect(page.getByLabel('Description')).toHaveValue(description)
  await expect(page).toHaveTitle(/^Edit item/)
  const overflow = await page.evaluate(() => document.body.scrollWidth - window.innerWidth)
  expect(overflow).toBeLessThanOrEqual(0)
})

test('a text that is too long is refused before it is sent', async ({ page, user }) => {
  await openAs(page, user, '/main/items/create')
  await page.getByLabel('Title').fill('x'.repeat(256))
  await page.getByLabel('Description').fill('x'.repeat(10_001))
  await page.getByRole('button', { name: 'Create' }).click()
  await expect(page.getByText('255 characters at most')).toBeVisible()
  await expect(page.getByText('10000 characters at most')).toBeVisible()
})
