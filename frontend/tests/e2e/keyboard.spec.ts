import { expect, hold, openAs, test } from './fixtures'

const OVERLAYS = [
  ['dialog', 'Delete my account'],
  ['menu', 'Menu'],
  ['menu', 'Language and theme'],
] as const

for (const [role, name] of OVERLAYS) {
  test(`Escape closes “${name}” right after it was opened`, async ({ page, user }) => {
    await openAs(page, user, '/main/profile/view')
    const button = page.getByRole('button', { name, exact: true })
    await button.focus()
    // It may be open too shortly to be seen from here.
    await page.evaluate((role) => {
      new MutationObserver(() => {
        if (document.querySelector(`[role=${role}]`)) document.body.dataset.opened = role
      }).observe(document.body, { childList: true, subtree: true })
    }, role)
    // Both keys are sent at once, as somebody types who does not wait for a slow machine.
    await Promise.all([page.keyboard.press('Enter'), page.keyboard.press('Escape')])
    await expect(page.locator('body')).toHaveAttribute('data-opened', role)
    await expect(page.getByRole(role)).toBeHidden()
    await expect(button).toBeFocused()
  })

  test(`Escape closes “${name}” under a newer notification`, async ({ page, user }) => {
    await openAs(page, user, '/main/profile/edit')
    const release = await hold(page, '**/api/v1/users/me', 'PUT')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('link', { name: 'Profile', exact: true }).click()
    await page.getByRole('button', { name, exact: true }).click()
    await expect(page.getByRole(role)).toBeVisible()
    release()
    const notification = page.getByText('Profile saved')
    await expect(notification).toBeVisible()
    await page.keyboard.press('Escape')
    await expect(page.getByRole(role)).toBeHidden({ timeout: 3_000 })
    await expect(notification).toBeVisible()
  })
}
