import { expect, hold, openAs, test } from './fixtures'

const OVERLAYS = [
  ['dialog', /^Delete my account/],
  ['menu', /^Account: /],
] as const

for (const [role, name] of OVERLAYS) {
  test(`Escape closes the ${role} immediately after it opens`, async ({ page, user }) => {
    await openAs(page, user, '/main/profile/view')
    const button = page.getByRole('button', { name })
    await button.focus()
    // Record that the overlay opened: it may close before Playwright can see it.
    await page.evaluate((role) => {
      new MutationObserver(() => {
        if (document.querySelector(`[role=${role}]`)) document.body.dataset.opened = role
      }).observe(document.body, { childList: true, subtree: true })
    }, role)
    // Send both keys at once, like a user who does not wait.
    await Promise.all([page.keyboard.press('Enter'), page.keyboard.press('Escape')])
    await expect(page.locator('body')).toHaveAttribute('data-opened', role)
    await expect(page.getByRole(role)).toBeHidden()
    await expect(button).toBeFocused()
  })

  test(`Escape closes the ${role} under a newer notification`, async ({ page, user }) => {
    await openAs(page, user, '/main/profile/edit')
    const release = await hold(page, '**/api/v1/users/me', 'PUT')
    await page.getByRole('button', { name: 'Save' }).first().click()
    await page.getByRole('button', { name }).click()
    await expect(page.getByRole(role)).toBeVisible()
    release()
    const notification = page.getByText('Profile saved')
    await expect(notification).toBeVisible()
    await page.keyboard.press('Escape')
    await expect(page.getByRole(role)).toBeHidden({ timeout: 3_000 })
    await expect(notification).toBeVisible()
  })
}
