import { expect, test } from 'vitest'
import { ItemCreateSchema, UserCreateSchema, UserUpdateByIDSchema } from '@/client/schemas.gen'
import { type ObjectSchema, rulesOf } from '@/rules'

function complaint(schema: ObjectSchema, name: string, value: string | null | undefined) {
  return rulesOf(schema, name)
    .map((rule) => rule(value))
    .find((result) => result !== true)
}

test('a title has 1 to 255 characters', () => {
  expect(complaint(ItemCreateSchema, 'title', '')).toBe('This is needed')
  expect(complaint(ItemCreateSchema, 'title', 'a')).toBeUndefined()
  expect(complaint(ItemCreateSchema, 'title', 'a'.repeat(255))).toBeUndefined()
  expect(complaint(ItemCreateSchema, 'title', 'a'.repeat(256))).toBe('255 characters at most')
})

test('a description may be missing and has 10 000 characters at most', () => {
  expect(complaint(ItemCreateSchema, 'description', null)).toBeUndefined()
  expect(complaint(ItemCreateSchema, 'description', 'a'.repeat(10_001))).toBe(
    '10000 characters at most',
  )
})

test('a password has 8 to 128 characters', () => {
  expect(complaint(UserCreateSchema, 'password', '1234567')).toBe('8 characters at least')
  expect(complaint(UserCreateSchema, 'password', '12345678')).toBeUndefined()
  expect(complaint(UserCreateSchema, 'password', '1'.repeat(129))).toBe('128 characters at most')
})

test('an emoji is one character, as the API counts', () => {
  expect(complaint(ItemCreateSchema, 'title', '😀'.repeat(255))).toBeUndefined()
  expect(complaint(UserCreateSchema, 'password', '😀'.repeat(7))).toBe('8 characters at least')
})

test.each(['', 'a', 'a@b', 'a b@example.com', 'ä@example.com', '@example.com'])(
  '%o is no e-mail',
  (email) => {
    expect(complaint(UserCreateSchema, 'email', email)).toBeTruthy()
  },
)

test('a character that the database can’t store is refused', () => {
  expect(complaint(ItemCreateSchema, 'title', 'a\0b')).toBe('This is not allowed here')
})

test('an optional field may stay empty, and has its limits otherwise', () => {
  const rules = rulesOf(UserUpdateByIDSchema, 'password', { optional: true })
  expect(rules.every((rule) => rule(undefined) === true)).toBe(true)
  expect(rules.every((rule) => rule('short') === true)).toBe(false)
})

test('a field that the API doesn’t know is a mistake', () => {
  expect(() => rulesOf(ItemCreateSchema, 'name')).toThrow('no property name')
})
