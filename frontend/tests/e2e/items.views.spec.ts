import { randomUUID } from 'node:crypto'
import { itemsReadItems, usersUpdateUserMe } from '../../src/client'
import { expect, openAs, test } from './fixtures'
import { createItem } from './records/items'

for (const width of [1280, 390]) {
  test(`Ctrl+Enter saves from a field of several lines, at ${width} px`, async ({ page, user }) => {
    await page.setViewportSize({ width, height: 844 })
    await openAs(page, user, '/main/items/create')
    await expect(page.getByText('0 / 10,000')).toBeVisible()
    await page.getByLabel('Title', { exact: true }).fill('By keyboard')
    await page.getByLabel('Description', { exact: true }).fill('One line')
    await page.keyboard.press('Control+Enter')
    await expect(page).toHaveURL('/main/items/all')

    await page.getByRole('button', { name: 'View' }).click()
    await expect(page.getByRole('heading', { name: 'By keyboard' })).toBeVisible()
    const { data } = await itemsReadItems({ client: user.client })
    expect(data).toMatchObject([{ title: 'By keyboard', description: 'One line' }])
    await expect(page).toHaveURL(`/main/items/edit/${data[0]!.id}`)
  })
}

test('the menu lists items between the dashboard and the jobs', async ({ page, user }) => {
  await openAs(page, user, '/main/items/create')
  const menu = page.getByRole('navigation', { name: 'Menu', exact: true })
  await expect(menu.getByRole('link')).toContainText(['Dashboard', 'Items', 'Jobs'])
  await expect(menu.locator('[aria-current=page]')).toHaveText('Items')
})

test('the filter by age is in the address and can be cleared', async ({ page, user }) => {
  await createItem(user.client)
  await openAs(page, user, '/main/items/all')
  await page.getByRole('button', { name: 'Created', exact: true }).first().click()
  await page.getByRole('menuitemradio', { name: 'Last 7 days' }).click()
  await expect(page).toHaveURL(/\?created=week$/)
  const request = page.waitForRequest('**/api/v1/items/?*')
  await page.reload()
  expect((await request).url()).toContain('created_since=')
  await expect(page.getByRole('button', { name: 'Created Last 7 days' })).toBeVisible()
  await page.getByRole('button', { name: 'Clear filter: Created' }).click()
  await expect(page).toHaveURL('/main/items/all')
})

test('the first item is a first step', async ({ page, user }) => {
  await openAs(page, user)
  const steps = page.locator('section', {
    has: page.getByRole('heading', { name: 'First steps' }),
  })
  await expect(steps).toContainText('1 of 3')
  await expect(page.getByText('No items yet')).toBeVisible()
  await steps.getByRole('link', { name: 'Create your first record' }).click()
  await expect(page).toHaveURL(/\/main\/items\/create$/)

  const title = `Item ${randomUUID()}`
  await createItem(user.client, { title })
  await page.goto('/main/dashboard')
  await expect(steps).toContainText('2 of 3')
  await steps.getByRole('link', { name: 'Add your name' }).click()
  await expect(page).toHaveURL(/\/main\/settings#profile$/)

  await usersUpdateUserMe({ client: user.client, body: { full_name: 'Ada Example' } })
  await page.goto('/main/dashboard')
  await expect(page.getByRole('heading', { name: 'Welcome, Ada Example' })).toBeVisible()
  await expect(steps).toHaveCount(0)
})

test('the dashboard shows the user’s own items, and needs one request', async ({ page, user }) => {
  const title = `Item ${randomUUID()}`
  const item = await createItem(user.client, { title })
  const requests: string[] = []
  page.on('request', (request) => {
    const { pathname } = new URL(request.url())
    if (pathname.startsWith('/api/')) requests.push(pathname)
  })
  await openAs(page, user)
  await page.getByRole('main').getByRole('link', { name: title }).click()
  await expect(page).toHaveURL(new RegExp(`/main/items/edit/${item.id}$`))
  await page.goBack()
  await expect(page.getByRole('link', { name: /^Items\s*1\s*\+1 this week$/ })).toBeVisible()
  await expect(page.getByText('Health')).toHaveCount(0)
  const ofDashboard = requests.filter((path) => !/users\/me|login|items|jobs/.test(path))
  expect(new Set(ofDashboard)).toEqual(new Set(['/api/v1/dashboard/']))
})
