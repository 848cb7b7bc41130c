import { afterEach, expect, test } from 'vitest'
import { UserCreateSchema, UserUpdateByIDSchema } from '@/client/schemas.gen'
import { setLocale } from '@/plugins/i18n'
import { rulesOf } from '@/rules'
import type { ObjectSchema } from '@/schema'

const schema: ObjectSchema = {
  properties: {
    name: { type: 'string', minLength: 1, maxLength: 255 },
    note: { anyOf: [{ type: 'string', maxLength: 10_000 }, { type: 'null' }] },
    password: { type: 'string', minLength: 8, maxLength: 128 },
    count: { type: 'integer', minimum: -5, maximum: 2_147_483_647 },
    rank: { anyOf: [{ type: 'integer', minimum: 0, maximum: 100 }, { type: 'null' }] },
    any_integer: { type: 'integer' },
    price: {
      type: 'string',
      format: 'decimal',
      maxDigits: 12,
      decimalPlaces: 2,
      minimum: 0.01,
      maximum: '9999999999.98',
    },
    balance: { type: 'string', format: 'decimal', maxDigits: 12, decimalPlaces: 2 },
    day: { type: 'string', format: 'date' },
    starts_at: { anyOf: [{ type: 'string', format: 'date-time' }, { type: 'null' }] },
    state: { type: 'string', enum: ['draft', 'done'] },
    is_open: { type: 'boolean' },
  },
}

afterEach(() => setLocale('en'))

const errorOf = (name: string, value: string | boolean | null, of = schema) =>
  rulesOf(of, name)
    .map((rule) => rule(value))
    .find((result) => result !== true)

test('a required field has length limits', () => {
  expect(errorOf('name', '')).toBe('Required')
  expect(errorOf('name', 'a')).toBeUndefined()
  expect(errorOf('name', 'a'.repeat(255))).toBeUndefined()
  expect(errorOf('name', 'a'.repeat(256))).toBe('At most 255 characters')
  expect(errorOf('password', '1234567')).toBe('At least 8 characters')
  expect(errorOf('password', '12345678')).toBeUndefined()
})

test('a nullable field may be empty and has length limits', () => {
  expect(errorOf('note', null)).toBeUndefined()
  expect(errorOf('note', 'a'.repeat(10_001))).toBe('At most 10000 characters')
})

test('the limits are those of the API’s schema', () => {
  expect(errorOf('password', '1234567', UserCreateSchema)).toBe('At least 8 characters')
  expect(errorOf('password', '1'.repeat(129), UserCreateSchema)).toBe('At most 128 characters')
})

test('an emoji counts as one character', () => {
  expect(errorOf('name', '😀'.repeat(255))).toBeUndefined()
  expect(errorOf('password', '😀'.repeat(7))).toBe('At least 8 characters')
})

test.each(['a', 'a@b', 'a b@example.com', 'ä@example.com', '@example.com'])(
  '%o is not an email address',
  (email) => {
    expect(errorOf('email', email, UserCreateSchema)).toBe('Enter a valid email address')
  },
)

test('NUL is rejected', () => {
  expect(errorOf('full_name', 'a\0b', UserCreateSchema)).toBe('Enter a valid value')
})

test('a blank text is rejected, in linear time', () => {
  for (const text of [' ', '\t\u00a0\n', ' '.repeat(255)]) {
    expect(errorOf('full_name', text, UserCreateSchema)).toBe('Enter some text, not only spaces')
  }
  expect(errorOf('full_name', '', UserCreateSchema)).toBeUndefined()
  expect(errorOf('full_name', ' a ', UserCreateSchema)).toBeUndefined()
  expect(errorOf('password', ' '.repeat(8), UserCreateSchema)).toBeUndefined()
  const [{ pattern }] = UserCreateSchema.properties.full_name.anyOf
  const isValid = (text: string) => new RegExp(pattern).test(text)
  const start = performance.now()
  expect(isValid(' '.repeat(1_000_000))).toBe(false)
  expect(isValid(`${'a '.repeat(500_000)}\0`)).toBe(false)
  expect(performance.now() - start).toBeLessThan(500)
})

test('an optional field may be empty and has length limits', () => {
  const rules = rulesOf(UserUpdateByIDSchema, 'password', { optional: true })
  expect(rules.every((rule) => rule(undefined) === true)).toBe(true)
  expect(rules.every((rule) => rule('short') === true)).toBe(false)
})

test('a field missing from the schema throws an error', () => {
  expect(() => rulesOf(schema, 'unknown')).toThrow('no property unknown')
})

test.each([
  ['count', '', 'Required'],
  ['count', ' ', 'Required'],
  ['count', null, 'Required'],
  ['count', '-5', undefined],
  ['count', '-6', 'At least -5'],
  ['count', '2147483647', undefined],
  ['count', '2147483648', 'At most 2147483647'],
  ['count', '9'.repeat(400), 'At most 2147483647'],
  ['count', '1.5', 'Enter a whole number'],
  ['count', '1,234', 'Enter a whole number'],
  ['count', '12x', 'Enter a whole number'],
  ['count', '1e3', 'Enter a whole number'],
  ['rank', '', undefined],
  ['rank', null, undefined],
  ['rank', '0', undefined],
  ['rank', '101', 'At most 100'],
  // JavaScript cannot represent larger integers exactly.
  ['any_integer', '9007199254740991', undefined],
  ['any_integer', '9007199254740993', 'At most 9007199254740991'],
])('the integer %s of %o: %s', (name, text, error) => {
  expect(errorOf(name, text)).toBe(error)
})

const NOT_A_NUMBER = 'Enter a number, such as 1234.50'
test.each([
  ['price', '0.01', undefined],
  ['price', '0', 'At least 0.01'],
  ['price', '0.00', 'At least 0.01'],
  ['price', '9999999999.98', undefined],
  ['price', '9999999999.99', 'At most 9999999999.98'],
  ['price', '1,234', NOT_A_NUMBER],
  ['price', '1,234.50', NOT_A_NUMBER],
  ['price', '.', NOT_A_NUMBER],
  ['price', '1e3', NOT_A_NUMBER],
  ['balance', '-9999999999.99', undefined],
  ['balance', '0', undefined],
  ['balance', '12345678901', 'At most 10 digits before the decimal separator'],
  ['balance', '-12345678901.5', 'At most 10 digits before the decimal separator'],
  ['balance', '1234567890123', 'At most 12 digits'],
  ['balance', '1.234', 'At most 2 decimal places'],
  // Like the API, ignore zeros that do not change the value.
  ['balance', '000000000000001.5000', undefined],
])('the decimal %s of %o: %s', (name, text, error) => {
  expect(errorOf(name, text)).toBe(error)
})

test('limits and decimal separators follow the locale', async () => {
  await setLocale('ru')
  expect(errorOf('price', '0,01')).toBeUndefined()
  expect(errorOf('price', '0,001')).toBe('Не более 2 знаков после запятой')
  expect(errorOf('price', '0')).toBe('Не менее 0,01')
  expect(errorOf('price', '1,2,3')).toBe('Введите число, например 1234,50')
  expect(errorOf('balance', '1234567890123')).toBe('Не более 12 цифр')
  expect(errorOf('balance', '12345678901')).toBe('Не более 10 цифр до запятой')
  expect(errorOf('count', '1,5')).toBe('Введите целое число')
})

test.each([
  ['day', '2026-11-27', undefined],
  ['day', '2026-02-29', 'Enter a valid date'],
  ['day', '12026-11-27', 'Enter a valid date'],
  ['day', '', 'Required'],
  ['starts_at', '2026-11-27T13:00', undefined],
  ['starts_at', '2026-11-27T13:00:30', undefined],
  ['starts_at', '2026-11-27', 'Enter a valid date and time'],
  ['starts_at', '12026-11-27T13:00', 'Enter a valid date and time'],
  ['starts_at', '', undefined],
  ['state', 'draft', undefined],
  ['state', 'deleted', 'Choose one of the options'],
  ['state', null, 'Required'],
  ['is_open', false, undefined],
])('%s of %o: %s', (name, value, error) => {
  expect(errorOf(name, value)).toBe(error)
})
