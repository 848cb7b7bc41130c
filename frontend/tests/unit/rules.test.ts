import { expect, test } from 'vitest'
import { UserCreateSchema, UserUpdateByIDSchema } from '@/client/schemas.gen'
import { type ObjectSchema, rulesOf } from '@/rules'

const schema: ObjectSchema = {
  properties: {
    name: { type: 'string', minLength: 1, maxLength: 255 },
    note: { anyOf: [{ type: 'string', maxLength: 10_000 }, { type: 'null' }] },
    password: { type: 'string', minLength: 8, maxLength: 128 },
  },
}

const errorOf = (name: string, value: string | null, of = schema) =>
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
  expect(errorOf('name', 'a\0b')).toBe('Enter a valid value')
})

test('an optional field may be empty and has length limits', () => {
  const rules = rulesOf(UserUpdateByIDSchema, 'password', { optional: true })
  expect(rules.every((rule) => rule(undefined) === true)).toBe(true)
  expect(rules.every((rule) => rule('short') === true)).toBe(false)
})

test('a field missing from the schema throws an error', () => {
  expect(() => rulesOf(schema, 'unknown')).toThrow('no property unknown')
})
