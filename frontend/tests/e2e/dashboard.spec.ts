import { usersUpdateUserMe } from '../../src/client'
import { violations } from './axe'
import { createAccount, expect, openAs, test } from './fixtures'

test('a new user finds the first steps', async ({ page, user }) => {
  await openAs(page, user)
  const steps = page.locator('section', {
    has: page.getByRole('heading', { name: 'First steps' }),
  })
  await expect(steps).toBeVisible()
  // A resource of the project adds a step.
  const total = await steps.getByRole('listitem').count()
  await expect(steps).toContainText(`1 of ${total}`)
  const addName = steps.getByRole('link', { name: 'Add your name' })
  await addName.click()
  await expect(page).toHaveURL(/\/main\/settings#profile$/)

  await usersUpdateUserMe({ client: user.client, body: { full_name: 'Ada Example' } })
  await page.goto('/main/dashboard')
  await expect(page.getByRole('heading', { name: 'Welcome, Ada Example' })).toBeVisible()
  await expect(addName).toHaveCount(0)
})

test('the first steps disappear when all are done', async ({ page, superuser }) => {
  await page.route('**/api/v1/dashboard/', async (route) => {
    const response = await route.fetch()
    const first_steps = { is_verified: true, has_row: true, has_name: true }
    await route.fulfill({ response, json: { ...(await response.json()), first_steps } })
  })
  await openAs(page, superuser)
  await expect(page.getByRole('heading', { name: 'Health' })).toBeVisible()
  await expect(page.getByRole('heading', { name: 'First steps' })).toHaveCount(0)
})

test('the dashboard needs one request', async ({ page, user }) => {
  const requests: string[] = []
  page.on('request', (request) => {
    const { pathname } = new URL(request.url())
    if (pathname.startsWith('/api/')) requests.push(pathname)
  })
  await openAs(page, user)
  await expect(page.getByRole('heading', { name: 'First steps' })).toBeVisible()
  await page.waitForLoadState('networkidle')
  await expect(page.getByText('Health')).toHaveCount(0)
  // The menu reads the jobs.
  const ofDashboard = requests.filter((path) => !/users\/me|login|jobs/.test(path))
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
