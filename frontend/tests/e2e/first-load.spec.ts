import { gzipSync } from 'node:zlib'
import { expect, test } from './fixtures'

test('the first load takes few scripts of at most 200 kB, all from this origin', async ({
  page,
  baseURL,
}) => {
  const scripts: Promise<{ name: string; size: number }>[] = []
  const foreign: string[] = []
  page.on('request', (request) => {
    if (!request.url().startsWith(`${baseURL}/`)) foreign.push(request.url())
  })
  page.on('response', (response) => {
    if (response.request().resourceType() !== 'script') return
    const name = new URL(response.url()).pathname
    scripts.push(response.body().then((body) => ({ name, size: gzipSync(body).length })))
  })
  await page.goto('/login', { waitUntil: 'networkidle' })
  const sizes = (await Promise.all(scripts)).sort((a, b) => b.size - a.size)
  const total = sizes.reduce((sum, { size }) => sum + size, 0)
  const list = sizes.map(({ name, size }) => `${size} ${name}`).join('\n')
  expect(total).toBeGreaterThan(10_000)
  // Each response costs part of a round trip: theme, entry, runtime, libraries, app.
  expect(sizes.length, list).toBeLessThanOrEqual(5)
  expect(total, `bytes of each script:\n${list}`).toBeLessThanOrEqual(200_000)
  expect(foreign).toEqual([])
})

test('the splash screen appears before scripts and styles', async ({ page }) => {
  let release = () => {}
  const held = new Promise<void>((resolve) => (release = resolve))
  await page.route('**/assets/**', async (route) => {
    await held
    await route.continue()
  })
  await page.goto('/login', { waitUntil: 'commit' })
  await expect(page.locator('.splash')).toBeVisible()
  release()
  await expect(page.getByRole('heading', { name: 'Log in' })).toBeVisible()
})
