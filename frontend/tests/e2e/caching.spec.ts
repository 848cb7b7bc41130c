import { brotliCompressSync } from 'node:zlib'
import type { APIRequestContext } from '@playwright/test'
import { expect, test } from './fixtures'

const IMMUTABLE = 'public, max-age=31536000, immutable'

async function get(request: APIRequestContext, path: string) {
  // A browser sends this header when it opens a page.
  const response = await request.get(path, { headers: { Accept: 'text/html' } })
  return {
    status: response.status(),
    caching: response.headers()['cache-control'],
    isApp: (await response.text()).includes('<div id="app">'),
  }
}

test('assets are compressed, and cached as immutable', async ({ page, request }) => {
  const assets: string[] = []
  page.on('response', (response) => {
    if (response.url().includes('/assets/')) assets.push(response.url())
  })
  await page.goto('/login', { waitUntil: 'networkidle' })
  for (const ending of ['.js', '.css', '.woff2']) {
    expect(assets.filter((url) => url.endsWith(ending)).length, ending).toBeGreaterThan(0)
  }
  const largest = assets.find((url) => /libraries.*\.js$/.test(url))!
  const response = await request.get(largest, { headers: { 'Accept-Encoding': 'gzip, br' } })
  expect(response.headers()).toMatchObject({
    'content-encoding': 'br',
    // As small as brotli can make it.
    'content-length': `${brotliCompressSync(await response.body()).length}`,
    'content-type': expect.stringContaining('text/javascript'),
    vary: expect.stringContaining('Accept-Encoding'),
  })
  const other = await request.get(largest, { headers: { 'Accept-Encoding': 'gzip' } })
  expect(other.headers()['content-encoding']).not.toBe('br')
  expect(await other.body()).toEqual(await response.body())
  for (const url of assets) {
    expect(await get(request, url), url).toEqual({ status: 200, caching: IMMUTABLE, isApp: false })
  }
})

for (const path of ['/', '/login', '/index.html', '/main/admin/users/all?q=x', '/assets-x']) {
  test(`${path} is revalidated`, async ({ request }) => {
    expect(await get(request, path)).toEqual({ status: 200, caching: 'no-cache', isApp: true })
  })
}

for (const path of ['/favicon.svg', '/robots.txt', '/manifest.webmanifest']) {
  test(`${path} is revalidated`, async ({ request }) => {
    expect(await get(request, path)).toEqual({ status: 200, caching: 'no-cache', isApp: false })
  })
}

for (const path of ['/assets/index-OLD.js', '/assets/x/y.css', '/assets/x', '/assets/']) {
  test(`${path} is a 404 that is not cached`, async ({ request }) => {
    expect(await get(request, path)).toEqual({ status: 404, caching: 'no-cache', isApp: false })
  })
}
