import AxeBuilder from '@axe-core/playwright'
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

for (const colorScheme of ['light', 'dark'] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme, contextOptions: { reducedMotion: 'reduce' } })

    for (const path of [...OUTSIDE, ...INSIDE]) {
      test(`${path} is accessible`, async ({ page, superuser }) => {
        await itemsCreateItem({ client: superuser.client, body: { title: 'An item' } })
        if (INSIDE.includes(path)) await openAs(page, superuser, path)
        else await page.goto(path)
        await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
        await page.waitForLoadState('networkidle')
        const { violations } = await new AxeBuilder({ page }).analyze()
        const serious = violations.filter(
          ({ impact }) => impact === 'serious' || impact === 'critical',
        )
        expect(serious.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([])
      })
    }

    test('a dialog, a refused form and a notice are accessible', async ({ page, superuser }) => {
      await openAs(page, superuser, '/main/profile/view')
      await page.getByRole('button', { name: 'Delete my account' }).click()
      const dialog = page.getByRole('dialog')
      await dialog.getByLabel('Current password').fill('wrong')
      await dialog.getByRole('button', { name: 'Delete' }).click()
      await expect(dialog.getByText('Incorrect password')).toBeVisible()
      const { violations } = await new AxeBuilder({ page }).analyze()
      const serious = violations.filter(
        ({ impact }) => impact === 'serious' || impact === 'critical',
      )
      expect(serious.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([])
    })
  })
}
