import { fileURLToPath } from 'node:url'
import { loadEnv } from 'vite'
import { expect, fillLogin, PASSWORD, test } from './fixtures'

const FOLDER = fileURLToPath(new URL('../..', import.meta.url))
const NAMES = Object.values(loadEnv('production', FOLDER, 'VUE_APP_DOMAIN_'))
// The last two stand for the addresses of a machine in a network.
const ADDRESSES = ['localhost', '127.0.0.1', '192.0.2.7', '[2001:db8::7]']

test.use({
  launchOptions: {
    executablePath: process.env.CHROMIUM,
    // Resolve every host name to this machine.
    args: ['--host-resolver-rules=MAP * 127.0.0.1'],
  },
})

for (const address of new Set([...ADDRESSES, ...NAMES])) {
  test(`the web app works at ${address} and sends no request elsewhere`, async ({
    page,
    user,
    baseURL,
  }) => {
    const { port } = new URL(baseURL!)
    const origin = `http://${address}${port && `:${port}`}`
    const foreign: string[] = []
    page.on('request', (request) => {
      if (!request.url().startsWith(`${origin}/`)) foreign.push(request.url())
    })
    await page.goto(`${origin}/login`)
    await fillLogin(page, user.email, PASSWORD)
    await expect(page.getByText(`Welcome, ${user.email}`)).toBeVisible()
    await expect(page).toHaveURL(`${origin}/main/dashboard`)
    await page.reload()
    await expect(page.getByText(`Welcome, ${user.email}`)).toBeVisible()
    expect(foreign).toEqual([])
  })
}
