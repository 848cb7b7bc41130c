// @vitest-environment node
import { readFileSync } from 'node:fs'
import {
  createServer as createHttpServer,
  type IncomingHttpHeaders,
  request,
  type Server,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test, vi } from 'vitest'
import { createServer, type ViteDevServer } from 'vite'

let vite: ViteDevServer | undefined
let stack: Server | undefined

afterEach(async () => {
  await vite?.close()
  stack?.close()
  vite = stack = undefined
  vi.unstubAllEnvs()
})

const portOf = (server: { address: () => unknown }) => (server.address() as AddressInfo).port

/** Starts the server of `npm run serve` with these settings, and returns its port. */
async function serve(settings: Record<string, string>): Promise<number> {
  for (const [name, value] of Object.entries(settings)) vi.stubEnv(name, value)
  vite = await createServer({
    logLevel: 'silent',
    optimizeDeps: { noDiscovery: true, include: [] },
    server: { host: '127.0.0.1', port: 20_000 },
  })
  await vite.listen()
  return portOf(vite.httpServer!)
}

interface Response {
  status: number
  headers: IncomingHttpHeaders
  body: string
}

function get(port: number, path: string, host: string, proto = 'http'): Promise<Response> {
  return new Promise((resolve, reject) => {
    const headers = { host, accept: 'text/html', 'x-forwarded-proto': proto }
    request({ host: '127.0.0.1', port, path, headers }, (response) => {
      let body = ''
      response.on('data', (part: Buffer) => (body += part.toString()))
      response.on('end', () => {
        resolve({ status: response.statusCode!, headers: response.headers, body })
      })
    })
      .on('error', reject)
      .end()
  })
}

test('the development server accepts IP addresses and the host names in both .env files', async () => {
  const port = await serve({
    DOMAIN: 'My-Domain.example.org:8080',
    VUE_APP_DOMAIN_DEV: 'dev.example.org',
    VUE_APP_DOMAIN_STAG: '',
    VUE_APP_DOMAIN_PROD: 'straße.example.org',
  })
  for (const host of [
    'localhost:5173',
    '127.0.0.1',
    '192.0.2.7:8000',
    '[2001:db8::7]:8000',
    'my-domain.example.org:8080',
    'dev.example.org',
    'xn--strae-oqa.example.org',
  ]) {
    const { status, body } = await get(port, '/login', host)
    expect(status, host).toBe(200)
    expect(body, host).toContain('<div id="app">')
  }
  for (const host of ['another.example.org', 'example.org', 'sub.dev.example.org']) {
    expect((await get(port, '/login', host)).status, host).toBe(403)
  }
})

test('the development server forwards only backend paths', async () => {
  stack = createHttpServer(({ url }, response) => response.end(`the stack: ${url}`))
  await new Promise<void>((resolve) => stack!.listen(0, '127.0.0.1', resolve))
  const port = await serve({ SERVER_HOST: `http://127.0.0.1:${portOf(stack)}` })
  for (const path of ['/api/v1/items/?q=x', '/api', '/docs', '/docs?x', '/redoc']) {
    expect((await get(port, path, 'localhost')).body, path).toBe(`the stack: ${path}`)
  }
  for (const path of ['/api-keys', '/docs-x', '/redocs', '/main/api']) {
    expect((await get(port, path, 'localhost')).body, path).toContain('<div id="app">')
  }
})

test('the development server has the manifest with the name of the web app', async () => {
  const port = await serve({ VUE_APP_NAME: 'Another name' })
  const { headers, body } = await get(port, '/manifest.webmanifest', 'localhost')
  expect(headers['content-type']).toBe('application/manifest+json')
  expect(JSON.parse(body)).toMatchObject({ name: 'Another name', start_url: '/' })
})

test('the development server sends the security headers of nginx.conf', async () => {
  const nginx = readFileSync('nginx.conf', 'utf8')
  const names = [...nginx.matchAll(/add_header (\S+) .* always;/g)].map(([, name]) => name!)
  expect(names).toEqual([
    'Cache-Control',
    'Content-Security-Policy',
    'X-Content-Type-Options',
    'Referrer-Policy',
    'Permissions-Policy',
    'Strict-Transport-Security',
  ])
  const port = await serve({})
  for (const path of ['/login', '/src/main.ts', '/favicon.svg']) {
    const { headers } = await get(port, path, 'localhost', 'https')
    for (const name of names.slice(1)) {
      const value = String(headers[name.toLowerCase()])
      expect(nginx, `${name} of ${path}`).toContain(`"${value}"`)
    }
  }
  const { headers } = await get(port, '/login', 'localhost')
  expect(headers['strict-transport-security']).toBeUndefined()
  const policy = String(headers['content-security-policy'])
  // Scripts must be files of the web app.
  expect(policy).toMatch(/^default-src 'self';/)
  expect(policy).not.toContain('script-src')
})
