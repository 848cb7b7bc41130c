import AxeBuilder from '@axe-core/playwright'
import type { Page } from '@playwright/test'
import { itemsCreateItem } from '../../src/client'
import { expect, openAs, test } from './fixtures'

const OUTSIDE = ['/login', '/sign-up', '/recover-password', '/reset-password?token=x', '/nothing']
const INSIDE = [
  '/main/dashboard',
  '/main/items/all',
  '/main/items/create',
  '/main/profile/view',
  '/main/profile/edit',
  '/main/profile/password',
  '/main/admin/users/all',
  '/main/admin/users/create',
]

/** What axe calls serious or critical, in both themes. */
async function seriousViolations(page: Page) {
  const found = []
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    await expect(page.locator('.v-application')).toHaveClass(new RegExp(`v-theme--${colorScheme}`))
    // A colour that is on its way to another would be measured.
    await page.evaluate(() => {
      const transitions = document.getAnimations().filter((one) => one instanceof CSSTransition)
      return Promise.allSettled(transitions.map(({ finished }) => finished))
    })
    const { violations } = await new AxeBuilder({ page }).analyze()
    for (const { id, impact, nodes } of violations) {
      if (impact === 'serious' || impact === 'critical') {
        found.push({ colorScheme, id, elements: nodes.map(({ html }) => html) })
      }
    }
  }
  return found
}

for (const path of [...OUTSIDE, ...INSIDE]) {
  test(`${path} is accessible`, async ({ page, superuser }) => {
    await itemsCreateItem({ client: superuser.client, body: { title: 'An item' } })
    if (INSIDE.includes(path)) await openAs(page, superuser, path)
    else await page.goto(path)
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
    await page.waitForLoadState('networkidle')
    expect(await seriousViolations(page)).toEqual([])
  })
}

test('a dialog with a refused form is accessible', async ({ page, superuser }) => {
  await openAs(page, superuser, '/main/profile/view')
  await page.getByRole('button', { name: 'Delete my account' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Current password').fill('wrong')
  await dialog.getByRole('button', { name: 'Delete' }).click()
  await expect(dialog.getByText('Incorrect password')).toBeVisible()
  expect(await seriousViolations(page)).toEqual([])
})

test('the page without a backend is accessible', async ({ page }) => {
  await page.route('**/api/**', (route) => route.abort())
  await page.goto('/login')
  await expect(page.getByRole('alertdialog')).toBeVisible()
  expect(await seriousViolations(page)).toEqual([])
})

test('the menus and a notice are accessible', async ({ page, superuser }) => {
  await openAs(page, superuser, '/main/items/create')
  await page.getByLabel('Title').fill('An item')
  await page.getByRole('button', { name: 'Create' }).click()
  await expect(page.getByText('Item created')).toBeVisible()
  for (const [button, entry] of [
    ['Language and theme', 'Русский'],
    ['Menu', 'Logout'],
  ] as const) {
    await page.getByRole('button', { name: button, exact: true }).click()
    await expect(page.getByRole('menu').getByText(entry)).toBeVisible()
    expect(await seriousViolations(page)).toEqual([])
    await page.keyboard.press('Escape')
    await expect(page.getByRole('menu')).toBeHidden()
  }
})
