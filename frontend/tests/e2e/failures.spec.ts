import { expect, openAs, test } from './fixtures'

const ITEMS = '**/api/v1/items/**'

test.beforeEach(async ({ page, user }) => {
  await openAs(page, user, '/main/items/create')
  await page.getByLabel('Title').fill('A title')
})

const create = 'button[type=submit]'

test('a slow save shows its progress and is sent once', async ({ page }) => {
  let requests = 0
  let release = () => {}
  const held = new Promise<void>((resolve) => (release = resolve))
  await page.route(ITEMS, async (route) => {
    requests += Number(route.request().method() === 'POST')
    await held
    await route.continue()
  })
  await page.locator(create).dblclick()
  await expect(page.getByText('Saving…')).toBeVisible()
  await expect(page.getByRole('progressbar', { name: 'Loading…' })).toBeVisible()
  await page.getByLabel('Title').press('Enter')
  await page.locator(create).click({ force: true })
  release()
  await expect(page.getByText('Item created')).toBeVisible()
  await expect(page.getByText('Saving…')).toHaveCount(0)
  await expect(page.getByText('1-1 of 1')).toBeVisible()
  expect(requests).toBe(1)
})

test('an answer cut short is told, and the text stays', async ({ page }) => {
  await page.route(ITEMS, async (route) => {
    await route.fulfill({ status: 201, contentType: 'application/json', body: '{"id": 1, "tit' })
  })
  await page.locator(create).click()
  await expect(
    page.getByRole('alert').filter({ hasText: "The server can't be reached. Try again." }),
  ).toBeVisible()
  await expect(page.getByLabel('Title')).toHaveValue('A title')
})

test('a lost connection is told, and the next try goes through', async ({ page }) => {
  await page.route(ITEMS, (route) => route.abort())
  await page.locator(create).click()
  await expect(
    page.getByRole('alert').filter({ hasText: "The server can't be reached. Try again." }),
  ).toBeVisible()
  await page.unroute(ITEMS)
  await page.locator(create).click()
  await expect(page.getByText('Item created')).toBeVisible()
})

for (const [status, detail, text] of [
  [429, 'Too Many Requests', 'Too many attempts. Try again in 7 s.'],
  [
    409,
    'The change contradicts what is stored already',
    'The change contradicts what is stored already',
  ],
  [413, 'Content Too Large', 'Content Too Large'],
  [500, 'Internal server error', 'Internal server error'],
] as const) {
  test(`${status} is told, and the text stays`, async ({ page }) => {
    await page.route(ITEMS, (route) =>
      route.fulfill({ status, headers: { 'Retry-After': '7' }, json: { detail } }),
    )
    await page.locator(create).click()
    await expect(page.getByRole('alert').filter({ hasText: text })).toBeVisible()
    await expect(page.getByLabel('Title')).toHaveValue('A title')
    await expect(page).toHaveURL(/items\/create$/)
  })
}

test('a list that can’t be loaded can be tried again', async ({ page }) => {
  await page.route(ITEMS, (route) => route.fulfill({ status: 500, body: 'Traceback' }))
  await page.getByText('Items', { exact: true }).click()
  await expect(page.getByText('Something went wrong. Try again.')).toBeVisible()
  await page.unroute(ITEMS)
  await page.getByRole('button', { name: 'Try again' }).click()
  await expect(page.getByText('There are no items yet.')).toBeVisible()
})
