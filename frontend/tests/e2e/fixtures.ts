/** Fixtures and helpers of the browser tests: new users, login, received mail. */

import { randomUUID } from 'node:crypto'
import { test as base, expect, type Page } from '@playwright/test'
import { loginLoginAccessToken, type UserCreate, usersCreateUser } from '../../src/client'
import { type Client, createClient } from '../../src/client/client'

const {
  BASE_URL = 'http://localhost',
  MAIL_URL = 'http://localhost:1080',
  FIRST_SUPERUSER = 'admin@example.com',
  FIRST_SUPERUSER_PASSWORD = 'changethis',
} = process.env

export const PASSWORD = 'a good password'

export interface Account {
  id: number
  email: string
  password: string
  /** An API client that is logged in as this user. */
  client: Client
}

async function login(
  username: string,
  password: string,
): Promise<Pick<Account, 'password' | 'client'>> {
  const client = createClient({ baseUrl: BASE_URL, throwOnError: true })
  const { data } = await loginLoginAccessToken({ client, body: { username, password } })
  client.setConfig({ auth: data.access_token })
  return { client, password }
}

let kept: { since: number; login: Awaited<ReturnType<typeof login>> } | undefined

/** Logs in once in ten minutes, before the token expires: almost every test needs this login. */
export async function loginAsFirstSuperuser() {
  if (!kept || Date.now() - kept.since > 600_000) {
    kept = { since: Date.now(), login: await login(FIRST_SUPERUSER, FIRST_SUPERUSER_PASSWORD) }
  }
  return kept.login
}

export const newEmail = () => `${randomUUID()}@example.com`

export async function createAccount(fields: Partial<UserCreate> = {}): Promise<Account> {
  const { client } = await loginAsFirstSuperuser()
  const body = { email: newEmail(), password: PASSWORD, ...fields }
  const { data } = await usersCreateUser({ client, body })
  return { id: data.id, email: data.email, ...(await login(body.email, body.password)) }
}

/** Creates users with these full names. Returns the users, and the path of a list of only these users. */
export async function createUsers({ client }: Account, names: string[]) {
  const group = randomUUID()
  const users: { id: number; email: string }[] = []
  for (const [place, full_name] of names.entries()) {
    const body = { email: `${place + 1}.${group}@example.com`, password: PASSWORD, full_name }
    users.push((await usersCreateUser({ client, body })).data)
  }
  return { users, list: `/main/admin/users/all?q=${group}` }
}

/** Opens a page as a logged-in user, without using the login form. */
export async function openAs(
  page: Page,
  account: Account,
  path = '/main/dashboard',
): Promise<void> {
  await page.goto('/robots.txt')
  await startSession(page, account)
  await page.goto(path)
}

/** Logs in without the form. The page must be of the web app's origin. */
export async function startSession(page: Page, { email, password }: Account): Promise<void> {
  // The page's cookies include those of responses to these requests.
  const response = await page.request.post('/api/v1/login/access-token', {
    form: { username: email, password },
    headers: { 'X-Session': 'cookie' },
  })
  expect(response.ok()).toBe(true)
  await page.evaluate(() => localStorage.setItem('session-renewed-at', String(Date.now())))
}

export async function fillLogin(page: Page, email: string, password: string): Promise<void> {
  const button = page.getByRole('button', { name: 'Log in' })
  // Wait for the login view, because the previous view may also have a field with this label.
  await expect(button).toBeVisible()
  await page.getByLabel('Email').fill(email)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await button.click()
}

/** Opens the menu of the account, in English or Russian. */
export const openUserMenu = (page: Page) =>
  page.getByRole('button', { name: /^(Account|Учётная запись): / }).click()

export async function logOut(page: Page): Promise<void> {
  await openUserMenu(page)
  await page.getByRole('menuitem', { name: 'Log out' }).click()
}

/** Chooses an option of a select. A field that refers to another record is searched for the option first. */
export async function choose(
  page: Page,
  label: string,
  option: string,
  { search = false } = {},
): Promise<void> {
  const field = page.locator('.v-input', { has: page.getByLabel(label, { exact: true }) })
  await field.locator('.v-field').click()
  if (search) await field.locator('input').fill(option)
  const item = page.getByRole('option', { name: option, exact: true })
  // A click was once ignored on a busy machine, for an unknown reason. Then the list stays open.
  await expect(async () => {
    await item.click({ timeout: 5000 })
    await expect(item).toBeHidden()
  }).toPass()
}

/** Holds requests with this method until the returned function is called. */
export async function hold(page: Page, url: string, method: string): Promise<() => void> {
  let release = () => {}
  const held = new Promise<void>((resolve) => (release = resolve))
  await page.route(url, async (route) => {
    if (route.request().method() === method) await held
    await route.continue().catch(() => {}) // The page may have aborted the request.
  })
  return release
}

interface Mail {
  to: { address: string }[]
  subject: string
  text: string
}

/** Waits for a mail to this address with this text in its subject. Returns the link in the newest mail. */
export async function linkInMail(address: string, subject: string): Promise<string> {
  let link: string | undefined
  await expect(async () => {
    const mails = (await (await fetch(`${MAIL_URL}/api/email`)).json()) as Mail[]
    const mail = mails.findLast(
      (one) => one.to[0]?.address === address && one.subject.includes(subject),
    )
    link = mail?.text.match(/http\S+/)?.[0]
    expect(link).toBeTruthy()
  }).toPass({ timeout: 20_000 })
  return link!
}

/** Returns the path of a mailed link, with the token in the fragment or, like old links, in the query. */
export function pathOfLink(link: string, form: '#token=' | '?token='): string {
  const { pathname, search, hash } = new URL(link)
  return pathname + (search || hash).replace(/^[?#]token=/, form)
}

export const test = base.extend<{ user: Account; superuser: Account }>({
  // Every test fails if the Content-Security-Policy of its pages blocks something.
  page: async ({ page }, use) => {
    const violations: string[] = []
    page.on('console', (message) => {
      const text = message.text()
      // ReDoc works without its vendor's logo, which it would load from another origin.
      if (/Content Security Policy/.test(text) && !text.includes('https://cdn.redoc.ly/')) {
        violations.push(text)
      }
    })
    await use(page)
    expect(violations).toEqual([])
  },
  user: async ({}, use) => use(await createAccount()),
  superuser: async ({}, use) => use(await createAccount({ is_superuser: true })),
})

export { expect }
