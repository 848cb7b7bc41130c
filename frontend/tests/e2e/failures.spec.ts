import type { Page, Route } from '@playwright/test'
import { expect, fillLogin, hold, logOut, openAs, openUserMenu, PASSWORD, test } from './fixtures'

const ME = '**/api/v1/users/me'

test.beforeEach(async ({ page, user }) => {
  await openAs(page, user, '/main/profile/edit')
  await page.getByLabel('Full name').fill('A name')
})

const save = '#profile button[type=submit]'

/** Handles the requests that save the form. */
const onSave = (page: Page, handle: (route: Route) => Promise<void>) =>
  page.route(ME, (route) => (route.request().method() === 'PUT' ? handle(route) : route.fallback()))

test('a slow save shows its progress and is sent once', async ({ page }) => {
  let requests = 0
  page.on('request', (request) => (requests += Number(request.method() === 'PUT')))
  const release = await hold(page, ME, 'PUT')
  await page.locator(save).dblclick()
  await expect(page.getByText('Saving…')).toBeVisible()
  await expect(page.getByRole('progressbar', { name: 'Loading…' })).toBeVisible()
  await page.getByLabel('Full name').press('Enter')
  await page.locator(save).click({ force: true })
  release()
  await expect(page.getByText('Profile saved')).toBeVisible()
  await expect(page.getByText('Saving…')).toHaveCount(0)
  await expect(page.getByRole('main').getByText('A name').first()).toBeVisible()
  expect(requests).toBe(1)
})

test('a slow save does not navigate after the user has left the form', async ({ page }) => {
  const release = await hold(page, ME, 'PUT')
  await page.locator(save).click()
  await page.getByRole('link', { name: 'Jobs', exact: true }).click()
  await page.getByRole('button', { name: 'Discard' }).click()
  await expect(page).toHaveURL('/main/jobs')
  await expect(page.getByText('Saving…')).toBeVisible()
  release()
  await expect(page.getByText('Profile saved')).toBeVisible()
  // A save ends only after it has navigated, or decided not to.
  await expect(page.getByText('Saving…')).toHaveCount(0)
  await expect(page).toHaveURL('/main/jobs')
})

test('logging out cancels a slow save', async ({ page, user, superuser }) => {
  const release = await hold(page, ME, 'PUT')
  await page.locator(save).click()
  await logOut(page)
  await page.getByRole('button', { name: 'Discard' }).click()
  await fillLogin(page, superuser.email, PASSWORD)
  await expect(page.getByText(`Welcome, ${superuser.email}`)).toBeVisible()
  release()
  await page.goto('/main/settings')
  await expect(page.getByRole('main').getByText(superuser.email).first()).toBeVisible()
  await expect(page.getByText('A name')).toHaveCount(0)
  await expect(page.getByText(user.email)).toHaveCount(0)
})

test('a dialog cannot be closed while its request runs', async ({ page, user, superuser }) => {
  await openAs(page, superuser, `/main/admin/users/all?q=${user.email}`)
  await page.getByRole('button', { name: `Actions: ${user.email}` }).click()
  await page.getByRole('menuitem', { name: 'Delete' }).click()
  const release = await hold(page, '**/api/v1/users/*', 'DELETE')
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('button', { name: 'Delete' }).click()
  await expect(dialog.getByRole('button', { name: 'Cancel' })).toBeDisabled()
  await page.keyboard.press('Escape')
  await expect(dialog).toBeVisible()
  release()
  await expect(dialog).toBeHidden()
  await expect(page.getByText(`Nothing matches “${user.email}”.`)).toBeVisible()
})

test('a view whose script failed to load is loaded again', async ({ page }) => {
  await page.route('**/assets/Jobs-*.js', (route) => route.abort(), { times: 1 })
  await page.getByRole('link', { name: 'Jobs' }).click()
  await page.getByRole('button', { name: 'Discard' }).click()
  await expect(page.getByRole('heading', { name: 'Jobs', exact: true })).toBeVisible()
})

test('validation errors follow the locale and disappear when fixed', async ({ page }) => {
  const email = page.locator('input[name=email]')
  await email.fill('')
  await page.locator(save).click()
  await expect(email).toHaveAccessibleDescription('Required')
  await expect(email).toBeFocused()
  await openUserMenu(page)
  await page.getByRole('menuitemradio', { name: 'Русский' }).click()
  await expect(email).toHaveAccessibleDescription('Заполните это поле')
  await email.fill('somebody@example.com')
  await expect(email).toHaveAccessibleDescription('')
})

test('an incomplete response is an error and keeps the input', async ({ page }) => {
  await onSave(page, (route) =>
    route.fulfill({ status: 200, contentType: 'application/json', body: '{"id": 1, "ema' }),
  )
  await page.locator(save).click()
  await expect(
    page.getByRole('alert').filter({ hasText: "The server can't be reached. Try again." }),
  ).toBeVisible()
  await expect(page.getByLabel('Full name')).toHaveValue('A name')
})

test('a save can be repeated after a lost connection', async ({ page }) => {
  await onSave(page, (route) => route.abort())
  await page.locator(save).click()
  await expect(
    page.getByRole('alert').filter({ hasText: "The server can't be reached. Try again." }),
  ).toBeVisible()
  await page.unroute(ME)
  await page.locator(save).click()
  await expect(page.getByText('Profile saved')).toBeVisible()
})

const HTML = '<html><h1>Bad Gateway</h1><p>Traceback</p></html>'
for (const [what, status, body, text] of [
  ['a conflict', 409, { detail: 'x', code: 'conflict' }, 'This conflicts with existing data.'],
  [
    'a body that is too large',
    413,
    { detail: 'x', code: 'content_too_large' },
    'This is too much data. Shorten what you entered.',
  ],
  [
    'an internal error',
    500,
    { detail: 'x', code: 'internal_error' },
    'Something went wrong on the server. Try again later.',
  ],
  [
    'too many requests',
    429,
    { detail: 'x', code: 'too_many_attempts' },
    'Too many attempts. Try again in 7 seconds.',
  ],
  [
    'an error with an unknown code',
    400,
    { detail: 'x', code: 'unknown_code' },
    'Something went wrong. Try again.',
  ],
  ['an HTML error of a proxy', 500, HTML, 'Something went wrong. Try again.'],
  ['a proxy without a backend', 502, HTML, "The server can't be reached. Try again."],
] as const) {
  test(`${what} shows an error message and keeps the input`, async ({ page }) => {
    await onSave(page, (route) =>
      route.fulfill({
        status,
        headers: { 'Retry-After': '7' },
        ...(typeof body === 'string' ? { body, contentType: 'text/html' } : { json: body }),
      }),
    )
    await page.locator(save).click()
    await expect(page.getByRole('alert').filter({ hasText: text })).toHaveText(text)
    await expect(page.getByLabel('Full name')).toHaveValue('A name')
    await expect(page).toHaveURL('/main/settings#profile')
  })
}

test('an error appears at its field, or above the form if there is no such field', async ({
  page,
}) => {
  let field = 'email'
  await onSave(page, (route) =>
    route.fulfill({ status: 409, json: { detail: 'x', code: 'email_taken', field } }),
  )
  const text = 'A user with this email already exists. Use another email.'
  await page.locator(save).click()
  await expect(page.getByLabel('Email')).toHaveAccessibleDescription(text)
  await expect(page.getByLabel('Email')).toBeFocused()
  await expect(page.getByText(text)).toHaveCount(1)
  field = 'username'
  await page.locator(save).click()
  await expect(page.getByLabel('Email')).toHaveAccessibleDescription(
    'Changing it requires your password',
  )
  await expect(page.getByText(text)).toHaveCount(1)
  await expect(page.getByRole('alert').filter({ hasText: text })).toHaveText(text)
})

test('validation errors of the API appear at their fields', async ({ page }) => {
  await onSave(page, (route) =>
    route.fulfill({
      status: 422,
      json: {
        detail: [
          {
            type: 'string_too_short',
            loc: ['body', 'full_name'],
            msg: 'x',
            ctx: { min_length: 3 },
          },
          { type: 'unknown_code', loc: ['body', 'email'], msg: 'x' },
        ],
        code: 'validation_error',
      },
    }),
  )
  await page.locator(save).click()
  await expect(page.getByRole('alert').filter({ hasText: 'Check what you entered.' })).toBeVisible()
  await expect(page.getByLabel('Full name')).toHaveAccessibleDescription('At least 3 characters')
  await expect(page.getByLabel('Email')).toHaveAccessibleDescription('Enter a valid value')
})

test('a list that failed to load can be retried', async ({ page, superuser }) => {
  const users = /\/api\/v1\/users\/\?/
  await page.route(users, (route) => route.fulfill({ status: 500, body: 'Traceback' }))
  await openAs(page, superuser, `/main/admin/users/all?q=${superuser.email}`)
  await expect(page.getByText('Something went wrong. Try again.')).toBeVisible()
  await page.unroute(users)
  await page.getByRole('button', { name: 'Try again' }).click()
  await expect(page.getByText('1–1 of 1')).toBeVisible()
})
