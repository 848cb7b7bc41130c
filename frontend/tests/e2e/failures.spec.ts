import { expect, fillLogin, hold, openAs, PASSWORD, test } from './fixtures'

const ITEMS = '**/api/v1/items/**'

test.beforeEach(async ({ page, user }) => {
  await openAs(page, user, '/main/items/create')
  await page.getByLabel('Title').fill('A title')
})

const create = 'button[type=submit]'

test('a slow save shows its progress and is sent once', async ({ page }) => {
  let requests = 0
  page.on('request', (request) => (requests += Number(request.method() === 'POST')))
  const release = await hold(page, ITEMS, 'POST')
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

test('a slow save does not call back who went on', async ({ page }) => {
  const release = await hold(page, ITEMS, 'POST')
  await page.locator(create).click()
  await page.getByText('Edit Profile').click()
  await page.getByLabel('Full name').fill('Typed meanwhile')
  await expect(page.getByText('Saving…')).toBeVisible()
  release()
  await expect(page.getByText('Item created')).toBeVisible()
  // A save ends after the view that it leads to is shown.
  await expect(page.getByText('Saving…')).toHaveCount(0)
  await expect(page).toHaveURL(/profile\/edit$/)
  await expect(page.getByLabel('Full name')).toHaveValue('Typed meanwhile')
})

test('a slow save ends with the session', async ({ page, user, superuser }) => {
  await page.getByText('Edit Profile').click()
  await page.getByLabel('Full name').fill('Of the first')
  const release = await hold(page, '**/users/me', 'PUT')
  await page.locator(create).click()
  await page.getByText('Logout').click()
  await fillLogin(page, superuser.email, PASSWORD)
  await expect(page.getByText(`Welcome ${superuser.email}`)).toBeVisible()
  release()
  await page.getByRole('link', { name: 'Profile', exact: true }).click()
  await expect(page.getByRole('main').getByText(superuser.email)).toBeVisible()
  await expect(page.getByText('Of the first')).toHaveCount(0)
  await expect(page.getByText(user.email)).toHaveCount(0)
})

test('a dialog stays while its deletion runs', async ({ page }) => {
  await page.locator(create).click()
  await page.getByRole('button', { name: 'Delete: A title' }).click()
  const release = await hold(page, ITEMS, 'DELETE')
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('button', { name: 'Delete' }).click()
  await expect(dialog.getByRole('button', { name: 'Cancel' })).toBeDisabled()
  await page.keyboard.press('Escape')
  await expect(dialog).toBeVisible()
  release()
  await expect(dialog).toBeHidden()
  await expect(page.getByText('There are no items yet.')).toBeVisible()
})

test('a page whose script could not be loaded is loaded anew', async ({ page }) => {
  await page.route('**/assets/UserProfileEdit-*.js', (route) => route.abort(), { times: 1 })
  await page.getByText('Edit Profile').click()
  await expect(page.getByRole('heading', { name: 'Edit User Profile' })).toBeVisible()
})

test('complaints end when their reason does, and follow the language', async ({ page }) => {
  await page.getByLabel('Title').fill('')
  await page.locator(create).click()
  await expect(page.getByText('This is needed')).toBeVisible()
  await page.getByLabel('Language and theme').click()
  await page.getByText('Русский').click()
  await expect(page.getByText('Заполните это поле')).toBeVisible()
  await page.getByLabel('Название').fill('A title')
  await expect(page.getByText('Заполните это поле')).toBeHidden()
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
