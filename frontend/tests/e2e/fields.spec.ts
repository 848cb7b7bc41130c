import type { Page } from '@playwright/test'
import { violations } from './axe'
import { startFields } from './fields/server'
import { stored } from './fields/thing'
import { choose as chooseByLabel, expect, test } from './fixtures'

// One server for all tests of this file.
test.describe.configure({ mode: 'default' })
test.use({ timezoneId: 'America/St_Johns' })

let fields: Awaited<ReturnType<typeof startFields>>
test.beforeAll(async () => {
  fields = await startFields()
})
test.afterAll(() => fields.close())

const open = async (page: Page, path = '/') => {
  await page.goto(fields.url + path)
  await expect(page.getByRole('heading').first()).toBeVisible()
}
/** The label also names the list of options. */
const field = (page: Page, name: string) =>
  page.getByLabel(`Field ${name}`, { exact: true }).and(page.locator('input, textarea'))
const container = (page: Page, name: string) =>
  page.locator('.v-input', { has: page.getByLabel(`Field ${name}`, { exact: true }) })
const send = (page: Page) => page.getByRole('button', { name: 'Send' }).click()
const sent = async (page: Page) => {
  await expect(page.getByTestId('sent')).toContainText('{')
  return JSON.parse((await page.getByTestId('sent').textContent())!) as Record<string, unknown>
}
/** The message under a field, also if it is no error. */
const messageOf = (page: Page, name: string) => container(page, name).locator('.v-messages')
const openOptions = (page: Page, name: string) => container(page, name).locator('.v-field').click()
const choose = (page: Page, name: string, option: string, options = {}) =>
  chooseByLabel(page, `Field ${name}`, option, options)

test('a new record has all types of values', async ({ page }) => {
  await open(page)
  await field(page, 'title').fill('A title')
  await field(page, 'note').fill('Two\nlines')
  await field(page, 'count').fill('-5')
  await field(page, 'rank').fill('0')
  await field(page, 'price').fill('0.50')
  await field(page, 'discount').fill('-9999999999.99')
  await field(page, 'is_open').check()
  await field(page, 'day').fill('2026-11-27')
  await field(page, 'ends_on').fill('2028-02-29')
  await field(page, 'starts_at').fill('2026-11-27T06:30')
  await field(page, 'seen_at').fill('2026-07-01T21:00')
  await choose(page, 'state', 'Draft')
  await choose(page, 'priority', 'High')
  await choose(page, 'item_id', 'Item 3')
  await choose(page, 'parent_id', 'Item 30', { search: true })
  await send(page)
  expect(await sent(page)).toEqual({
    title: 'A title',
    note: 'Two\nlines',
    count: -5,
    rank: 0,
    price: '0.50',
    discount: '-9999999999.99',
    is_open: true,
    day: '2026-11-27',
    ends_on: '2028-02-29',
    starts_at: '2026-11-27T10:00:00Z',
    seen_at: '2026-07-01T23:30:00Z',
    state: 'draft',
    priority: 'high',
    item_id: 3,
    parent_id: 30,
  })
})

test('an untouched record is sent unchanged', async ({ page }) => {
  await open(page, '/?edit')
  await expect(field(page, 'price')).toHaveValue('1234567.50')
  await expect(field(page, 'starts_at')).toHaveValue('2026-11-27T06:30:30')
  await expect(field(page, 'seen_at')).toHaveValue('2026-07-01T21:00')
  await expect(field(page, 'item_id')).toHaveValue('The stored item')
  await expect(field(page, 'parent_id')).toHaveValue('The stored parent')
  // The titles are known without a request.
  await expect(page.getByTestId('searches')).toBeEmpty()
  await send(page)
  expect(await sent(page)).toEqual(stored)
})

test('only a changed datetime loses its fraction', async ({ page }) => {
  await open(page, '/?edit')
  await field(page, 'starts_at').fill('2026-11-27T07:30:30')
  await send(page)
  expect(await sent(page)).toEqual({ ...stored, starts_at: '2026-11-27T11:00:30Z' })
})

test('Ctrl+Enter sends the form from a field of several lines', async ({ page }) => {
  await open(page, '/?edit')
  await field(page, 'note').fill('One line')
  await page.keyboard.press('Control+Enter')
  expect(await sent(page)).toMatchObject({ note: 'One line' })
})

test('required fields report that they are empty, and the first one gets the focus', async ({
  page,
}) => {
  await open(page)
  await send(page)
  for (const name of ['title', 'count', 'price', 'day', 'starts_at', 'state', 'item_id']) {
    await expect(messageOf(page, name), name).toHaveText('Required')
  }
  for (const name of ['note', 'rank', 'discount', 'is_open', 'ends_on', 'seen_at', 'priority']) {
    await expect(messageOf(page, name), name).toBeEmpty()
  }
  await expect(field(page, 'title')).toBeFocused()
  await expect(page.getByTestId('sent')).toBeEmpty()
})

test('nullable fields can be cleared', async ({ page }) => {
  await open(page, '/?edit')
  await field(page, 'rank').fill('')
  await field(page, 'seen_at').fill('')
  for (const name of ['priority', 'parent_id']) {
    const input = container(page, name)
    await input.hover()
    await input.getByRole('button', { name: /^Clear/ }).click()
  }
  for (const name of ['state', 'item_id']) {
    const input = container(page, name)
    await expect(input.getByRole('button', { name: /^Clear/ })).toHaveCount(0)
  }
  await send(page)
  expect(await sent(page)).toEqual({
    ...stored,
    rank: null,
    seen_at: null,
    priority: null,
    parent_id: null,
  })
})

test('invalid text is kept and reported', async ({ page }) => {
  await open(page, '/?edit')
  const cases = [
    ['count', '12x', 'Enter a whole number'],
    ['rank', '101', 'At most 100'],
    ['price', '1,234', 'Enter a number, such as 1234.50'],
    ['discount', '1.234', 'At most 2 decimal places'],
  ] as const
  for (const [name, text] of cases) await field(page, name).fill(text)
  await send(page)
  for (const [name, text, message] of cases) {
    await expect(messageOf(page, name)).toHaveText(message)
    await expect(field(page, name)).toHaveValue(text)
  }
  await expect(field(page, 'count')).toBeFocused()
  await expect(page.getByTestId('sent')).toBeEmpty()
  await field(page, 'count').fill('12')
  await expect(messageOf(page, 'count')).toBeEmpty()
})

test('a date that is typed in part is an error', async ({ page }) => {
  await open(page, '/?edit')
  await field(page, 'ends_on').focus()
  await page.keyboard.type('0229')
  await field(page, 'seen_at').focus()
  await page.keyboard.press('Delete') // Deletes the month.
  await send(page)
  await expect(messageOf(page, 'ends_on')).toHaveText('Enter a valid date')
  await expect(messageOf(page, 'seen_at')).toHaveText('Enter a valid date and time')
  await expect(field(page, 'ends_on')).toBeFocused()
  await page.keyboard.type('02292028')
  await expect(messageOf(page, 'ends_on')).toBeEmpty()
  await field(page, 'seen_at').fill('2026-07-01T21:01')
  await send(page)
  expect(await sent(page)).toMatchObject({
    ends_on: '2028-02-29',
    seen_at: '2026-07-01T23:31:00Z',
  })
})

test('a change of any kind is unsaved input until it is undone', async ({ page }) => {
  await open(page, '/?edit')
  const isUnsaved = (text: 'true' | 'false') => expect(page.getByTestId('unsaved')).toHaveText(text)
  await isUnsaved('false')
  for (const [name, text] of [
    ['title', 'x'],
    ['note', 'x'],
    ['count', '7'],
    ['price', '1,234'],
    ['discount', 'no number'],
    ['day', '2026-01-01'],
    ['seen_at', '2026-07-01T21:01'],
  ] as const) {
    const before = await field(page, name).inputValue()
    await field(page, name).fill(text)
    await isUnsaved('true')
    await field(page, name).fill(before)
    await isUnsaved('false')
  }
  await field(page, 'is_open').uncheck()
  await isUnsaved('true')
  await field(page, 'is_open').check()
  await choose(page, 'state', 'Draft')
  await isUnsaved('true')
  await choose(page, 'state', 'Done')
  await isUnsaved('false')
  await choose(page, 'item_id', 'Item 1')
  await isUnsaved('true')
})

test('a time that the clocks skip is an error', async ({ page }) => {
  await open(page, '/?edit')
  await field(page, 'starts_at').fill('2026-03-08T02:30')
  await send(page)
  await expect(messageOf(page, 'starts_at')).toHaveText('Enter a valid date and time')
})

test('the API’s errors appear at fields of every kind, until they are changed', async ({
  page,
}) => {
  await open(page, '/?edit')
  await field(page, 'title').fill('invalid')
  await send(page)
  for (const name of Object.keys(stored)) {
    await expect(messageOf(page, name), name).toHaveText('Choose one of the options')
  }
  await expect(field(page, 'title')).toBeFocused()
  await field(page, 'is_open').uncheck()
  await choose(page, 'state', 'Draft')
  await choose(page, 'item_id', 'Item 1')
  await field(page, 'day').fill('2026-01-01')
  for (const name of ['is_open', 'state', 'item_id', 'day']) {
    await expect(messageOf(page, name), name).toBeEmpty()
  }

  await field(page, 'title').fill('conflict')
  await send(page)
  await expect(messageOf(page, 'state')).toHaveText('This conflicts with existing data.')
  await expect(field(page, 'state')).toBeFocused()
  await expect(page.locator('.v-alert')).toHaveCount(0)
  await field(page, 'title').fill('other')
  await send(page)
  await expect(page.locator('.v-alert')).toHaveText('This conflicts with existing data.')
})

test('a reference is searched after a pause, and stale results are ignored', async ({ page }) => {
  await page.clock.install()
  await open(page, '/?edit')
  const searches = page.getByTestId('searches')
  await openOptions(page, 'item_id')
  // Vuetify renders only the options that are in view.
  const option = page.getByRole('option').first()
  await expect(option).toHaveAttribute('aria-setsize', '20')
  await expect(searches).toHaveText(' (20)')
  await field(page, 'item_id').fill('')
  // A busy machine could pause while Playwright types, so the page's clock stands still.
  await page.clock.pauseAt(Date.now() + 60_000)
  await page.keyboard.type('Item 2')
  await page.clock.runFor(299)
  await expect(searches).toHaveText(' (20)')
  await page.clock.resume()
  await expect(option).toHaveAttribute('aria-setsize', '11')
  await expect(searches).toHaveText(' (20); Item 2 (20)')

  await field(page, 'item_id').fill('slow')
  await expect(searches).toContainText('slow (20)')
  await field(page, 'item_id').fill('slow 2')
  await expect(page.getByRole('option')).toHaveText(['slow 2'])
  await page.waitForTimeout(2_000)
  await expect(page.getByRole('option')).toHaveText(['slow 2'])

  await field(page, 'item_id').fill('nothing')
  await expect(page.getByText('Nothing matches “nothing”.')).toBeVisible()
  await field(page, 'item_id').fill('fail')
  const error = 'Something went wrong on the server. Try again later.'
  await expect(messageOf(page, 'item_id')).toHaveText(error)
  await field(page, 'item_id').fill('slow 1')
  await page.getByRole('option', { name: 'slow 1' }).click()
  await expect(messageOf(page, 'item_id')).toBeEmpty()
  await expect(field(page, 'item_id')).toHaveValue('slow 1')
  await send(page)
  expect(await sent(page)).toEqual({ ...stored, item_id: 101 })
})

test('a search without a choice keeps the reference', async ({ page }) => {
  await open(page, '/?edit')
  await field(page, 'item_id').fill('slow 2')
  await expect(page.getByRole('option')).toHaveText(['slow 2'])
  await field(page, 'title').click()
  await expect(field(page, 'item_id')).toHaveValue('The stored item')
  await send(page)
  expect(await sent(page)).toEqual(stored)
})

test('every field works with the keyboard alone', async ({ page }) => {
  await open(page)
  const press = async (key: string, times = 1) => {
    for (let time = 0; time < times; time++) await page.keyboard.press(key)
  }
  await field(page, 'title').focus()
  await page.keyboard.type('By keyboard')
  await press('Tab', 2)
  await page.keyboard.type('7')
  await press('Tab', 2)
  await page.keyboard.type('12.5')
  await press('Tab', 2)
  await expect(field(page, 'is_open')).toBeFocused()
  await press('Space')
  await press('Tab')
  await page.keyboard.type('11272026')
  await field(page, 'starts_at').focus()
  await page.keyboard.type('112720260630AM')
  await field(page, 'state').focus()
  await press('ArrowDown')
  await expect(page.getByRole('option', { name: 'Draft' })).toBeFocused()
  await press('ArrowDown')
  await press('Enter')
  await expect(page.getByRole('option')).toHaveCount(0)
  await press('Tab')
  await expect(field(page, 'priority')).toBeFocused()
  await press('Tab')
  await expect(field(page, 'item_id')).toBeFocused()
  await page.keyboard.type('Item 12')
  await expect(page.getByRole('option')).toHaveText(['Item 12'])
  await press('ArrowDown')
  await press('Enter')
  await expect(field(page, 'item_id')).toHaveValue('Item 12')
  await expect(page.getByRole('option')).toHaveCount(0)
  await field(page, 'count').focus()
  await press('Enter')
  expect(await sent(page)).toMatchObject({
    title: 'By keyboard',
    count: 7,
    price: '12.5',
    is_open: true,
    day: '2026-11-27',
    starts_at: '2026-11-27T10:00:00Z',
    state: 'done',
    priority: null,
    item_id: 12,
  })
})

test('a field whose script fails to load shows an error, and a reload helps', async ({ page }) => {
  await page.route('**/health/ready', (route) => route.fulfill({ json: {} }))
  await page.route('**/assets/lazy-*.js', (route) => route.abort())
  await open(page)
  const errors = page.getByRole('alert').filter({ hasText: "Couldn't load this page" })
  await expect(errors.first()).toBeVisible()
  await expect(field(page, 'title')).toBeVisible()
  await page.unroute('**/assets/lazy-*.js')
  await page.getByRole('button', { name: 'Try again' }).first().click()
  await expect(field(page, 'is_open')).toBeVisible()
})

test('the form and the list are accessible', async ({ page }) => {
  await open(page)
  await expect(field(page, 'state')).toBeVisible()
  await send(page)
  await expect(messageOf(page, 'state')).toHaveText('Required')
  expect(await violations(page)).toEqual([])
  for (const name of ['state', 'item_id']) {
    await openOptions(page, name)
    await expect(page.getByRole('option').first()).toBeVisible()
    expect(await violations(page), name).toEqual([])
    await page.keyboard.press('Escape')
  }
  await open(page, '/list')
  await expect(page.getByText('1–2 of 2')).toBeVisible()
  expect(await violations(page)).toEqual([])
})

test('a list shows values by their types', async ({ page }) => {
  await open(page, '/list')
  const cells = page.getByRole('row').nth(1).getByRole('cell')
  const texts = [
    '1,234,567.50',
    '1234567',
    'A thing: A thing (1234567)',
    '—',
    '-3',
    'Yes',
    'Nov 27, 2026',
    /^Nov 27, 2026, 6:30\sAM$/,
    'Done',
    'The stored item',
    '5',
    '',
  ]
  await expect(cells).toHaveText(texts)
  await expect(page.getByRole('link', { name: '1,234,567.50' })).toHaveCount(2)
  const alignments = await cells.evaluateAll((all) =>
    all.map((cell) => getComputedStyle(cell).textAlign),
  )
  expect(alignments.map((align) => align === 'end')).toEqual(
    texts.map((_, index) => [0, 4, 11].includes(index)),
  )
  // Ids, numbers and dates are never broken into lines.
  for (const index of [1, 4, 6, 7, 10]) {
    const box = await cells.nth(index).locator('span').boundingBox()
    expect(box!.height, `column ${index}`).toBeLessThan(30)
  }
  await page.getByRole('button', { name: 'Field item' }).click()
  await expect(page).toHaveURL(/\?sort=item$/)
})

test('a change of the language applies to values', async ({ page }) => {
  await open(page, '/?edit')
  await field(page, 'count').fill('x')
  await send(page)
  await page.getByRole('button', { name: 'Language and theme' }).click()
  await page.getByText('Русский').click()
  await expect(field(page, 'price')).toHaveValue('1234567,50')
  await expect(messageOf(page, 'count')).toHaveText('Введите целое число')
  await expect(field(page, 'count')).toHaveValue('x')
})

test.describe('in a Russian browser', () => {
  test.use({ locale: 'ru-RU' })

  test('numbers have a comma, and options and messages are translated', async ({ page }) => {
    await open(page, '/?edit')
    await expect(field(page, 'price')).toHaveValue('1234567,50')
    await field(page, 'price').fill('1234,5')
    await field(page, 'discount').fill('1.234')
    await choose(page, 'state', 'Черновик')
    await send(page)
    await expect(messageOf(page, 'discount')).toHaveText('Не более 2 знаков после запятой')
    await field(page, 'discount').fill('1 234,50')
    await send(page)
    expect(await sent(page)).toEqual({
      ...stored,
      price: '1234.5',
      discount: '1234.50',
      state: 'draft',
    })
    await open(page, '/list')
    const row = page.getByRole('row').nth(1)
    for (const text of ['1 234 567,50', '27 нояб. 2026 г.', '27 нояб. 2026 г., 06:30', 'Готово']) {
      await expect(row.getByRole('cell', { name: text, exact: true })).toBeVisible()
    }
  })
})

test.describe('on a narrow phone', () => {
  test.use({ viewport: { width: 360, height: 740 }, hasTouch: true })

  for (const path of ['/', '/?edit', '/list']) {
    test(`${path} fits`, async ({ page }) => {
      await open(page, path)
      if (path === '/list') await expect(page.getByText('1–2 of 2')).toBeVisible()
      else await expect(field(page, 'state')).toBeVisible()
      if (path === '/') await send(page)
      const overflows = await page
        .locator('body')
        .evaluateAll((elements) =>
          elements.map(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth),
        )
      expect(Math.max(...overflows)).toBeLessThanOrEqual(0)
    })
  }
})
