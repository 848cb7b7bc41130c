import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { deviceOf, formatterOf } from '@/format'
import { i18n, type Locale, setLocale } from '@/plugins/i18n'
import type { ObjectSchema } from '@/schema'

const schema: ObjectSchema = {
  properties: {
    id: { type: 'integer' },
    item_id: { anyOf: [{ type: 'integer' }, { type: 'null' }] },
    count: { type: 'integer' },
    price: { type: 'string', format: 'decimal', decimalPlaces: 2 },
    ratio: { anyOf: [{ type: 'string', format: 'decimal' }, { type: 'null' }] },
    day: { type: 'string', format: 'date' },
    starts_at: { type: 'string', format: 'date-time' },
    state: { anyOf: [{ type: 'string', enum: ['draft', 'done'] }, { type: 'null' }] },
    item: { anyOf: [{ $ref: '#/components/schemas/Reference' }, { type: 'null' }] },
    title: { type: 'string' },
  },
}

// Intl separates groups of digits, and the time from AM, by different spaces.
const format = (column: string, value: unknown) =>
  formatterOf(schema, column)(value).replace(/\s/g, ' ')

const zone = process.env.TZ
beforeEach(async () => {
  process.env.TZ = 'Europe/Berlin'
  await setLocale('ru')
  i18n.global.mergeLocaleMessage('en', { option: { state: { draft: 'Draft' } } })
  i18n.global.mergeLocaleMessage('ru', { option: { state: { draft: 'Черновик' } } })
})
afterEach(async () => {
  process.env.TZ = zone
  await setLocale('en')
})

test.each([
  ['id', 1_234_567, '1234567', '1234567'],
  ['item_id', 1_234_567, '1234567', '1234567'],
  ['count', 0, '0', '0'],
  ['count', -1_234_567, '-1,234,567', '-1 234 567'],
  ['price', '0', '0.00', '0,00'],
  ['price', '1234.5', '1,234.50', '1 234,50'],
  ['price', '-0.01', '-0.01', '-0,01'],
  [
    'price',
    '12345678901234567890.12',
    '12,345,678,901,234,567,890.12',
    '12 345 678 901 234 567 890,12',
  ],
  // More decimal places than the schema declares are not rounded away.
  ['price', '0.125', '0.125', '0,125'],
  ['ratio', '0.10', '0.10', '0,10'],
  ['ratio', '0.00000000', '0.00000000', '0,00000000'],
  ['day', '2026-11-27', 'Nov 27, 2026', '27 нояб. 2026 г.'],
  ['day', '0999-01-01', 'Jan 1, 999', '1 янв. 999 г.'],
  ['starts_at', '2026-11-27T10:00:00Z', 'Nov 27, 2026, 11:00 AM', '27 нояб. 2026 г., 11:00'],
  ['starts_at', '2026-12-31T23:30:00Z', 'Jan 1, 2027, 12:30 AM', '1 янв. 2027 г., 00:30'],
  ['starts_at', 'unknown', 'unknown', 'unknown'],
  ['state', 'draft', 'Draft', 'Черновик'],
  ['state', 'done', 'done', 'done'],
  ['item', { id: 5, title: 'A title' }, 'A title', 'A title'],
  ['title', '1234567', '1234567', '1234567'],
  ['unknown', 'a text', 'a text', 'a text'],
])('%s of %o is shown as %s', async (column, value, english, russian) => {
  for (const [locale, text] of [
    ['en', english],
    ['ru', russian],
  ] as [Locale, string][]) {
    await setLocale(locale)
    expect(format(column, value)).toBe(text)
  }
})

test.each(Object.keys(schema.properties))('null in %s is shown as nothing', (column) => {
  expect([format(column, null), format(column, undefined)]).toEqual(['', ''])
})

describe.each(['Pacific/Kiritimati', 'Pacific/Pago_Pago'])('in %s', (zone) => {
  test('a date does not shift', async () => {
    process.env.TZ = zone
    await setLocale('en')
    expect(format('day', '2026-11-27')).toBe('Nov 27, 2026')
  })
})

const WEBKIT = 'AppleWebKit/605.1.15 (KHTML, like Gecko)'
const CHROME = 'AppleWebKit/537.36 (KHTML, like Gecko) Chrome/146.0.0.0'

test.each([
  [`(X11; Linux x86_64) ${CHROME} Safari/537.36`, 'Chrome on Linux'],
  [`(X11; CrOS x86_64 14541.0.0) ${CHROME} Safari/537.36`, 'Chrome on ChromeOS'],
  [`(Linux; Android 10; K) ${CHROME} Mobile Safari/537.36`, 'Chrome on Android'],
  [`(Linux; Android 10; K) ${CHROME} Mobile Safari/537.36 EdgA/146.0.0.0`, 'Edge on Android'],
  [`(Windows NT 10.0; Win64; x64) ${CHROME} Safari/537.36 Edg/146.0.0.0`, 'Edge on Windows'],
  [`(Windows NT 10.0; Win64; x64) ${CHROME} Safari/537.36 OPR/130.0.0.0`, 'Opera on Windows'],
  [
    `(Windows NT 10.0; Win64; x64) ${CHROME} YaBrowser/26.3.0.0 Yowser/2.5 Safari/537.36`,
    'Yandex Browser on Windows',
  ],
  [
    '(Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/29.0 Chrome/136.0.0.0 Mobile Safari/537.36',
    'Samsung Internet on Android',
  ],
  ['(Android 16; Mobile; rv:150.0) Gecko/150.0 Firefox/150.0', 'Firefox on Android'],
  ['(Macintosh; Intel Mac OS X 10.15; rv:150.0) Gecko/20100101 Firefox/150.0', 'Firefox on macOS'],
  [`(Macintosh; Intel Mac OS X 10_15_7) ${WEBKIT} Version/26.0 Safari/605.1.15`, 'Safari on macOS'],
  [
    `(iPhone; CPU iPhone OS 18_6 like Mac OS X) ${WEBKIT} Version/26.0 Mobile/15E148 Safari/604.1`,
    'Safari on iPhone',
  ],
  [
    `(iPad; CPU OS 18_6 like Mac OS X) ${WEBKIT} CriOS/146.0.0.0 Mobile/15E148 Safari/604.1`,
    'Chrome on iPad',
  ],
])('the user agent %s is shown as %s', async (agent, english) => {
  await setLocale('en')
  expect(deviceOf(`Mozilla/5.0 ${agent}`)).toBe(english)
  await setLocale('ru')
  expect(deviceOf(`Mozilla/5.0 ${agent}`)).toBe(english.replace(' on', ','))
})

test('a user agent that is no known browser is shown as it is', async () => {
  await setLocale('en')
  expect(deviceOf('curl/8.14.1')).toBe('curl/8.14.1')
  expect(deviceOf('Mozilla/5.0 (Windows NT 10.0) Other/1.0')).toContain('Other/1.0')
  expect(deviceOf('')).toBe('Unknown device')
})
