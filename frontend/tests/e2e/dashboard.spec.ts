import { randomUUID } from 'node:crypto'
import { usersUpdateUserMe } from '../../src/client'
import { violations } from './axe'
import { createAccount, expect, openAs, test } from './fixtures'
import { createRow } from './rows'

test('a new user finds the first steps', async ({ page, user }) => {
  await openAs(page, user)
  const steps = page.locator('section', {
    has: page.getByRole('heading', { name: 'First steps' }),
  })
  await expect(steps).toContainText('1 of 3')
  await expect(page.getByText('No items yet')).toBeVisible()
  await steps.getByRole('link', { name: 'Create your first record' }).click()
  await expect(page).toHaveURL(/\/main\/items\/create$/)

  const title = `Item ${randomUUID()}`
  await createRow(user.client, { title })
  await page.goto('/main/dashboard')
  await expect(steps).toContainText('2 of 3')
  await steps.getByRole('link', { name: 'Add your name' }).click()
  await expect(page).toHaveURL(/\/main\/settings#profile$/)

  await usersUpdateUserMe({ client: user.client, body: { full_name: 'Ada Example' } })
  await page.goto('/main/dashboard')
  await expect(page.getByRole('heading', { name: 'Welcome, Ada Example' })).toBeVisible()
  await expect(steps).toHaveCount(0)
})

test('the dashboard shows the user’s own rows, and needs one request', async ({ page, user }) => {
  const title = `Item ${randomUUID()}`
  const item = await createRow(user.client, { title })
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
  const ofDashboard = requests.filter((path) => !/users\/me|login|items/.test(path))
  expect(new Set(ofDashboard)).toEqual(new Set(['/api/v1/dashboard/']))
})

test('superusers see users, jobs and the health of the parts', async ({ page, superuser }) => {
  const { email, id } = await createAccount()
  await openAs(page, superuser)
  await expect(page.getByRole('link', { name: /^Users/ }).last()).toBeVisible()
  for (const part of ['Database', 'Redis', 'Worker', 'Schedules', 'Mail']) {
    await expect(page.getByText(part, { exact: true })).toBeVisible()
  }
  await page.getByRole('main').getByRole('link', { name: email }).click()
  await expect(page).toHaveURL(new RegExp(`/main/admin/users/edit/${id}$`))
})

for (const width of [390, 1280]) {
  test(`the dashboard is accessible and fits into ${width} pixels`, async ({ page, superuser }) => {
    await page.setViewportSize({ width, height: 800 })
    await openAs(page, superuser)
    await expect(page.getByRole('heading', { name: 'Health' })).toBeVisible()
    expect(await violations(page)).toEqual([])
    const overflow = await page.evaluate(() => document.body.scrollWidth - window.innerWidth)
    expect(overflow).toBeLessThanOrEqual(0)
  })
}
