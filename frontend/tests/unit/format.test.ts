import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { formatterOf } from '@/format'
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
