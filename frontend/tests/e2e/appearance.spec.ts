import { fileURLToPath } from 'node:url'
import { loadEnv } from 'vite'
import { usersReadUserMe } from '../../src/client'
import { expect, fillLogin, newEmail, openAs, openUserMenu, PASSWORD, test } from './fixtures'

test('the chosen language is remembered and applies to API errors', async ({ page, superuser }) => {
  await page.goto('/login')
  await page.getByRole('button', { name: /Language and theme$/ }).click()
  await page.getByText('Русский').click()
  await expect(page).toHaveTitle(/^Вход/)
  await page.getByLabel('Электронная почта').fill(superuser.email)
  await page.getByLabel('Пароль', { exact: true }).fill('a wrong password')
  await page.getByRole('button', { name: 'Войти' }).click()
  await expect(
    page.getByRole('alert').filter({ hasText: 'Неверная почта или пароль' }),
  ).toBeVisible()
  await page.reload()
  await expect(page.getByRole('button', { name: 'Войти' })).toBeVisible()
  await expect(page.locator('html')).toHaveAttribute('lang', 'ru')

  await openAs(page, superuser, '/main/admin/users/all')
  await expect(page.getByRole('heading', { name: 'Пользователи' })).toBeVisible()
  await expect(page.getByText('Строк на странице')).toBeVisible()
})

test('the language of the account follows the menu, and the web app after a login', async ({
  page,
  user,
}) => {
  const accountHas = (language: string) =>
    expect
      .poll(async () => (await usersReadUserMe({ client: user.client })).data.language)
      .toBe(language)
  await openAs(page, user)
  await openUserMenu(page)
  await page.getByRole('menuitemradio', { name: 'Русский' }).click()
  await expect(page.getByText('Добро пожаловать')).toBeVisible()
  await accountHas('ru')

  // A failure is not reported.
  await page.route('**/users/me', (route) => route.abort(), { times: 1 })
  const failure = page.waitForEvent('requestfailed')
  await page.getByRole('menuitemradio', { name: 'English' }).click()
  await failure
  await expect(page.getByText('Welcome')).toBeVisible()
  await expect(page.getByText("The server can't be reached")).toHaveCount(0)
  await accountHas('ru')

  await page.getByRole('menuitem', { name: 'Log out' }).click()
  await fillLogin(page, user.email, PASSWORD)
  await expect(page.getByText('Welcome')).toBeVisible()
  await accountHas('en')
})

test.describe('in a Russian browser', () => {
  test.use({ locale: 'ru-RU' })

  test('the web app starts in Russian', async ({ page }) => {
    await page.goto('/login')
    await expect(page.getByRole('button', { name: 'Войти' })).toBeVisible()
  })
})

test('the theme follows the system until one is chosen', async ({ page }) => {
  const app = page.locator('.v-application')
  await page.emulateMedia({ colorScheme: 'dark' })
  await page.goto('/login')
  await expect(app).toHaveClass(/v-theme--dark/)
  await page.reload()
  await page.emulateMedia({ colorScheme: 'light' })
  await expect(app).toHaveClass(/v-theme--light/)
  await page.getByRole('button', { name: /Language and theme$/ }).click()
  await expect(page.getByRole('menuitemradio', { name: 'System' })).toBeChecked()
  await page.getByText('Dark').click()
  await expect(app).toHaveClass(/v-theme--dark/)
  await page.reload()
  await expect(app).toHaveClass(/v-theme--dark/)
  await page.getByRole('button', { name: /Language and theme$/ }).click()
  await page.getByText('System').click()
  await expect(app).toHaveClass(/v-theme--light/)
})

test('the theme’s colours override Vuetify’s defaults', async ({ page }) => {
  const primary = 'rgb(76, 73, 173)'
  await page.goto('/login')
  await expect(page.getByRole('button', { name: 'Log in' })).toHaveCSS('background-color', primary)
})

test('VUE_APP_NAME is shown', async ({ page, user }) => {
  const folder = fileURLToPath(new URL('../..', import.meta.url))
  const name = loadEnv('production', folder, 'VUE_APP_').VUE_APP_NAME!
  await page.goto('/login')
  await expect(page).toHaveTitle(`Log in - ${name}`)
  await expect(page.getByRole('link', { name, exact: true })).toBeVisible()
  await openAs(page, user)
  await expect(page).toHaveTitle(new RegExp(` - ${name}$`))
  await expect(page.getByRole('navigation').getByText(name, { exact: true })).toBeVisible()
})

test('a home screen gets the name and an icon', async ({ page, request }) => {
  await page.goto('/login')
  const name = await page.title()
  const path = await page.locator('link[rel=manifest]').getAttribute('href')
  const response = await request.get(path!)
  expect(response.headers()['content-type']).toBe('application/manifest+json')
  const manifest = await response.json()
  expect(name).toBe(`Log in - ${manifest.name}`)
  for (const { src, type } of manifest.icons) {
    expect((await request.get(src)).headers()['content-type']).toBe(type)
  }
  const touchIcon = await page.locator('link[rel=apple-touch-icon]').getAttribute('href')
  expect((await request.get(touchIcon!)).headers()['content-type']).toBe('image/png')
})

test('an unknown path shows the 404 view', async ({ page }) => {
  await page.goto('/no/such/page')
  await expect(page.getByRole('heading', { name: 'Page not found' })).toBeVisible()
  await page.getByText('Go to dashboard').click()
  await expect(page).toHaveURL(/\/login$/)
})

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true })

  test('everything fits and the menu opens', async ({ page, superuser }) => {
    const email = newEmail()
    await openAs(page, superuser)
    await expect(page.getByText('Welcome')).toBeVisible()
    await page.getByLabel('Show or hide the main menu').tap()
    await page.getByRole('link', { name: 'Users', exact: true }).tap()
    await expect(page).toHaveURL(/users\/all$/)
    await page.getByRole('link', { name: 'Create user' }).last().tap()
    // Exact: the search of the list, which may still be shown, is labelled “Search by name or email”.
    await page.getByLabel('Email', { exact: true }).fill(email)
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
    await page.getByLabel('Confirm password').fill(PASSWORD)
    await page.getByRole('button', { name: 'Create' }).tap()
    await expect(page.getByText('User created')).toBeVisible()
    await page.getByRole('searchbox').fill(email)
    await expect(page.getByText(email, { exact: true })).toBeVisible()
    const overflow = await page.evaluate(() => document.body.scrollWidth - window.innerWidth)
    expect(overflow).toBeLessThanOrEqual(0)
  })
})

test('everything works with the keyboard alone', async ({ page, superuser }) => {
  await page.goto('/login')
  const press = async (key: string, times = 1) => {
    for (let time = 0; time < times; time++) await page.keyboard.press(key)
  }
  // The first field has the focus when the view opens.
  await expect(page.getByLabel('Email')).toBeFocused()
  await page.keyboard.type(superuser.email)
  await press('Tab')
  await page.keyboard.type(PASSWORD)
  await press('Enter')
  await expect(page).toHaveURL(/dashboard$/)

  await page.getByRole('button', { name: /^Account: / }).focus()
  await press('Enter')
  await expect(page.getByRole('menuitem', { name: 'Log out' })).toBeVisible()
  await press('Escape')
  await expect(page.getByRole('menu')).toBeHidden()
  await page.getByRole('link', { name: 'Users', exact: true }).focus()
  await press('Enter')
  await page.getByRole('main').getByRole('link', { name: 'Create user' }).focus()
  await press('Enter')
  const email = newEmail()
  for (const [label, text] of [
    ['Full name', 'By keyboard'],
    ['Email', email],
    ['Password', PASSWORD],
    ['Confirm password', PASSWORD],
  ] as const) {
    await page.getByLabel(label, { exact: true }).focus()
    await page.keyboard.type(text)
  }
  await press('Enter')
  await expect(page.getByText('User created')).toBeVisible()
  await page.getByRole('searchbox').focus()
  await page.keyboard.type(email)
  await expect(page.getByRole('link', { name: 'By keyboard', exact: true })).toBeVisible()

  const button = page.getByRole('button', { name: 'Actions: By keyboard' }).first()
  await button.focus()
  await press('Enter')
  await page.getByRole('menuitem', { name: 'Delete' }).focus()
  await press('Enter')
  await expect(page.getByRole('dialog')).toBeVisible()
  await expect(page.getByRole('button', { name: 'Cancel' })).toBeFocused()
  await press('Escape')
  await expect(page.getByRole('dialog')).toBeHidden()
  await expect(button).toBeFocused()
})
