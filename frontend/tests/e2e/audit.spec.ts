import { loginLoginAccessToken } from '../../src/client'
import { expect, openAs, test } from './fixtures'

test('superusers see and search what happened to accounts, newest first', async ({
  page,
  user,
  superuser,
}) => {
  const body = { username: user.email, password: 'a wrong password' }
  await expect(loginLoginAccessToken({ client: user.client, body })).rejects.toBeTruthy()
  await openAs(page, superuser)
  await page.getByRole('link', { name: 'Audit log' }).click()
  await expect(page.getByRole('columnheader')).toHaveText([
    'Event',
    'Actor',
    'Account',
    'Details',
    'IP address',
    'Time',
  ])
  await page.getByRole('searchbox').fill(user.email)
  await expect(page.getByText('1–3 of 3')).toBeVisible()
  const events = page.locator('tbody td:nth-child(1)')
  await expect(events).toHaveText(['Login failed', 'Logged in', 'User created'])
  await expect(page).toHaveURL(`/main/admin/audit?q=${user.email}`)
  await expect(page.getByRole('main').getByRole('link')).toHaveCount(0)

  await page.getByRole('button', { name: 'Time' }).click()
  await expect(page).toHaveURL(/audit\?sort=created_at&/)
  await expect(events).toHaveText(['User created', 'Logged in', 'Login failed'])
})
