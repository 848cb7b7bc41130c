import type { Page } from '@playwright/test'
import {
  dashboardReadDashboard,
  usersCreateUser,
  usersUpdateUserMe,
  utilsTestEmail,
} from '../../src/client'
import type { Client } from '../../src/client/client'
import {
  type Account,
  createAccount,
  expect,
  newEmail,
  openAs,
  PASSWORD,
  test,
} from '../e2e/fixtures'

const SIZES = {
  desktop: { width: 1280, height: 800 },
  wide: { width: 1920, height: 1080 },
  phone: { width: 390, height: 844 },
}
const LOCALES = { en: 'en-US', ru: 'ru-RU' }
const THEMES = ['light', 'dark'] as const
/** Wide windows only show that the layout ends somewhere. */
const isWanted = (size: string, theme: string, locale: string) =>
  size !== 'wide' || (theme === 'dark' && locale === 'en')

const LONG = 'Emergency-lighting-maintenance-agreement-for-all-three-buildings'
  .repeat(4)
  .slice(0, 255)
const ITEMS = [
  [LONG, LONG.repeat(30)],
  ['<b>HTML</b> & “quotes” 😀', null],
  ['مستشعر المستودع', 'نص من اليمين إلى اليسار'],
  ['Packaging test, recycled film', 'Second run with the thinner material'],
  ['Returns shelf labels', 'Reprint with larger codes'],
  ['Supplier audit report', 'Findings, photos and the list of open points'],
  ['Warehouse sensor kit', '24 sensors, a gateway and mounting plates'],
  ['Onboarding checklist', null],
  ['Forklift inspection', 'Yearly check, book a slot before 15 December'],
  ['Delivery contract', 'Draft for review, prices are fixed until March'],
  ['Label printer, packing line 2', 'Spare head ordered, arrives on Thursday'],
  ['Cold room thermometer', 'Replace the probe on shelf 3, readings drift by 1.5 °C'],
] as const

/** Creates an item without the generated function, which a project without Item does not have. */
async function createItem(client: Client, body: object): Promise<number> {
  const security = [{ scheme: 'bearer', type: 'http' }] as const
  const { data } = await client.post({ url: '/api/v1/items/', security, body, throwOnError: true })
  return (data as { id: number }).id
}

interface Cast {
  superuser: Account
  user: Account
  newcomer: Account
  /** Undefined in a project without Item. */
  itemId?: number
}

async function prepare(): Promise<Cast> {
  const superuser = await createAccount({ is_superuser: true, full_name: 'Mira Halden' })
  const user = await createAccount({ full_name: 'Ines Okoro' })
  const newcomer = await createAccount()
  for (const [full_name, is_active, is_verified] of [
    ['Tomas Brenk', true, true],
    ['Pavel Doran', false, true],
    ['نور الدين', true, false],
    [null, true, true],
  ] as const) {
    const body = { full_name, is_active, is_verified, email: newEmail(), password: PASSWORD }
    await usersCreateUser({ client: superuser.client, body })
  }
  const { data } = await dashboardReadDashboard({ client: superuser.client })
  const hasItem = data.resources.some(({ name }) => name === 'item')
  let itemId: number | undefined
  for (const [index, [title, description]] of hasItem ? ITEMS.entries() : []) {
    const { client } = index % 2 ? superuser : user
    itemId = await createItem(client, { title, description })
  }
  await utilsTestEmail({ client: superuser.client, query: { email_to: newEmail() } })
  return { superuser, user, newcomer, itemId }
}

type Step = (page: Page) => Promise<unknown>
type View = [name: string, path: string, account?: keyof Omit<Cast, 'itemId'>, step?: Step]

const submit: Step = (page) => page.locator('button[type=submit]').first().click()
/** The stack of the tests does not allow everybody to sign up. */
const openSignUp: Step = async (page) => {
  await page.route('**/users/open', (route) => route.fulfill({ json: { is_open: true } }))
  await page.reload()
  await page.locator('button[type=submit]').waitFor()
}
const openUserMenu: Step = (page) => page.locator('.me').click()

const itemViews = (itemId: number): View[] => [
  ['items-empty', '/main/items/all', 'newcomer'],
  ['items', '/main/items/all', 'superuser'],
  ['items-search', '/main/items/all?q=sensor', 'superuser'],
  ['items-no-result', '/main/items/all?q=nothing+like+this', 'superuser'],
  [
    'items-row-menu',
    '/main/items/all',
    'superuser',
    (page) => page.locator('[aria-haspopup=menu]:not(.me):visible').last().click(),
  ],
  [
    'items-loading',
    '/main/items/all',
    'superuser',
    async (page) => {
      await page.route('**/api/v1/items/**', () => {}) // Never responds.
      await page.reload()
      await page.waitForTimeout(1_000)
    },
  ],
  [
    'items-error',
    '/main/items/all',
    'superuser',
    async (page) => {
      await page.route('**/api/v1/items/**', (route) => route.fulfill({ status: 500, json: {} }))
      await page.reload()
      await page.getByRole('alert').waitFor()
    },
  ],
  [
    'items-offline',
    '/main/items/all',
    'superuser',
    async (page) => {
      await page.route('**/api/**', (route) => route.abort())
      await page.locator('th[aria-sort], .v-data-table-footer button, .pager button').last().click()
    },
  ],
  ['item-create', '/main/items/create', 'user'],
  ['item-create-error', '/main/items/create', 'user', submit],
  ['item-edit', `/main/items/edit/${itemId}`, 'superuser'],
  [
    'item-saved',
    `/main/items/edit/${itemId}`,
    'superuser',
    async (page) => {
      await submit(page)
      await page.getByRole('status').last().waitFor()
    },
  ],
  [
    'item-changed-meanwhile',
    `/main/items/edit/${itemId}`,
    'superuser',
    async (page) => {
      await page.route('**/api/v1/items/*', (route) =>
        route.request().method() === 'PUT'
          ? route.fulfill({ status: 412, json: { code: 'row_changed' } })
          : route.continue(),
      )
      await submit(page)
      await page.locator('.conflict').waitFor()
    },
  ],
  [
    'item-session-ended',
    '/main/items/create',
    'user',
    async (page) => {
      await page.locator('input[name=title]').fill('Warehouse sensor kit')
      await page.route('**/api/v1/**', (route) => route.fulfill({ status: 401, json: {} }))
      await submit(page)
      await page.locator('.v-dialog').waitFor()
    },
  ],
  [
    'item-unsaved',
    '/main/items/create',
    'user',
    async (page) => {
      await page.locator('input[name=title]').fill('Warehouse sensor kit')
      await page.locator('.foot button[type=button]').first().click()
      await page.locator('.v-dialog').waitFor()
    },
  ],
  [
    'items-filter',
    '/main/items/all',
    'superuser',
    (page) => page.locator('.tools button').last().click(),
  ],
  [
    'items-undo',
    '/main/items/all',
    'superuser',
    async (page) => {
      await page.locator('[aria-haspopup=menu]:not(.me):visible').last().click()
      await page.getByRole('menuitem').last().click()
      await page.getByRole('status').last().waitFor()
    },
  ],
  ['item-missing', '/main/items/edit/2000000000', 'user'],
]

const views = ({ itemId, user: { id: userId } }: Cast): View[] => [
  ['log-in', '/login'],
  ['log-in-error', '/login', undefined, submit],
  ['sign-up', '/sign-up', undefined, openSignUp],
  [
    'sign-up-error',
    '/sign-up',
    undefined,
    async (page) => {
      await openSignUp(page)
      await submit(page)
    },
  ],
  ['recover-password', '/recover-password'],
  ['reset-password', '/reset-password#token=x'],
  ['verify-email', '/verify-email#token=x'],
  ['not-found-public', '/nothing'],
  ['dashboard-new-user', '/main/dashboard', 'newcomer'],
  ['dashboard-user', '/main/dashboard', 'user'],
  ['dashboard-administrator', '/main/dashboard', 'superuser'],
  ...(itemId ? itemViews(itemId) : []),
  ['jobs', '/main/jobs', 'superuser'],
  ['jobs-empty', '/main/jobs', 'newcomer'],
  ['users', '/main/admin/users/all', 'superuser'],
  [
    'user-delete',
    '/main/admin/users/all',
    'superuser',
    async (page) => {
      await page.locator('[aria-haspopup=menu]:not(.me):visible').last().click()
      await page.getByRole('menuitem').last().click()
      await page.locator('.v-dialog').waitFor()
    },
  ],
  ['user-edit', `/main/admin/users/edit/${userId}`, 'superuser'],
  ['user-create', '/main/admin/users/create', 'superuser'],
  ['audit-log', '/main/admin/audit', 'superuser'],
  ['no-access', '/main/admin/audit', 'user'],
  ['settings', '/main/settings', 'user'],
  ['not-found', '/main/nonsense', 'user'],
  [
    'main-menu',
    '/main/nonsense',
    'superuser',
    (page) => page.locator('header button').first().click(),
  ],
  ['user-menu', '/main/nonsense', 'superuser', openUserMenu],
]

let cast: Cast
test.beforeAll(async () => {
  cast = await prepare()
})

for (const [locale, browserLocale] of Object.entries(LOCALES)) {
  for (const theme of THEMES) {
    for (const [size, viewport] of Object.entries(SIZES)) {
      if (!isWanted(size, theme, locale)) continue
      test.describe(`${size}, ${theme}, ${locale}`, () => {
        test.use({ viewport, colorScheme: theme, locale: browserLocale })
        test('pictures of every view', async ({ browser, baseURL }) => {
          for (const [name, path, account, step] of views(cast)) {
            // A new context for each: nobody is logged in, and nothing is remembered.
            const context = await browser.newContext({
              viewport,
              baseURL,
              colorScheme: theme,
              locale: browserLocale,
            })
            const page = await context.newPage()
            if (account) {
              const language = locale as keyof typeof LOCALES
              await usersUpdateUserMe({ client: cast[account].client, body: { language } })
              await openAs(page, cast[account], path)
            } else {
              await page.goto(path)
            }
            await expect(page.locator('h1').first()).toBeAttached()
            await page.waitForLoadState('networkidle')
            await step?.(page)
            await page.waitForTimeout(400) // Transitions end.
            const fullPage = name === 'settings'
            await page.screenshot({
              path: `screenshots/${name}-${size}-${theme}-${locale}.png`,
              fullPage,
            })
            await context.close()
          }
        })
      })
    }
  }
}
