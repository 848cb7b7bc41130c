import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, PASSWORD, test } from './fixtures'

// Every test that uses `page` fails if the Content-Security-Policy blocks something: see fixtures.ts.

test('the API docs log in, send a request and search', async ({ page, user }) => {
  await page.goto('/docs')
  await page.getByRole('button', { name: 'Authorize' }).click()
  await page.getByRole('textbox', { name: 'username' }).fill(user.email)
  await page.getByRole('textbox', { name: 'password' }).fill(PASSWORD)
  await page.getByRole('button', { name: 'Apply given OAuth2 credentials' }).click()
  await page.getByRole('button', { name: 'Close', exact: true }).click()
  const operation = page.locator('.opblock', { hasText: 'Test Token' })
  await operation.getByRole('button', { name: 'Test Token' }).click()
  await operation.getByRole('button', { name: 'Try it out' }).click()
  await operation.getByRole('button', { name: 'Execute' }).click()
  await expect(operation.locator('.live-responses-table')).toContainText(`"${user.email}"`)

  await page.goto('/redoc')
  await page.getByPlaceholder('Search...').fill('recover')
  await expect(page.getByRole('menuitem', { name: 'Recover Password' })).toBeVisible()
})

test('another website cannot show the web app in a frame', async ({ context, baseURL }) => {
  const reports: string[] = []
  context.on('console', (message) => reports.push(message.text()))
  const website = createServer((_, response) => {
    response.setHeader('Content-Type', 'text/html').end(`<iframe src="${baseURL}/login"></iframe>`)
  })
  await new Promise<void>((resolve) => website.listen(0, '127.0.0.1', resolve))
  const page = await context.newPage()
  await page.goto(`http://127.0.0.1:${(website.address() as AddressInfo).port}`)
  await expect.poll(() => reports.join()).toContain(`"frame-ancestors 'none'"`)
  website.close()
})
