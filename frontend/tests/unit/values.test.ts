import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { compareDecimals, parse, toText } from '@/values'

test.each([
  ['0', 0],
  ['-0', 0],
  [' 007 ', 7],
  ['+5', 5],
  ['\u22125', -5],
  ['1 234\u00a0567', 1_234_567],
  ['1 2', undefined],
  ['1,234', undefined],
  ['', undefined],
])('the integer %o is %o', (text, value) => {
  expect(parse('integer', text, 'en')).toBe(value)
})

test.each([
  ['en', '1234.5', '1234.5'],
  ['en', '1,234', undefined],
  ['en', '1,5', undefined],
  ['ru', '1234,5', '1234.5'],
  ['ru', '1 234\u00a0567,50', '1234567.50'],
  ['ru', '-0,5', '-0.5'],
  // A numeric keypad may type a point.
  ['ru', '1234.5', '1234.5'],
  ['ru', '1.234,5', undefined],
  ['de', '1234,5', '1234.5'],
  ['de', '1.234', undefined],
  ['en', '.5', '0.5'],
  ['en', '5.', '5'],
  ['en', '-0.00', '0.00'],
  ['en', '+007.10', '7.10'],
  ['en', '12345678901234567890.12', '12345678901234567890.12'],
  ['en', '-', undefined],
  ['en', 'Infinity', undefined],
  ['en', '0x1', undefined],
])('in %s, the decimal %o is %o', (locale, text, value) => {
  expect(parse('decimal', text, locale)).toBe(value)
})

test.each([
  ['en', '1234.50', '1234.50'],
  ['ru', '-1234.50', '-1234,50'],
  ['en', 7, '7'],
  ['en', null, ''],
  ['en', undefined, ''],
])('in %s, the field shows the decimal %o as %o', (locale, value, text) => {
  expect(toText('decimal', value, locale)).toBe(text)
})

test('decimals are compared exactly', () => {
  expect(compareDecimals('0.1', '0.10')).toBe(0)
  expect(compareDecimals('-0.5', '0')).toBe(-1)
  expect(compareDecimals('9007199254740993', '9007199254740992.9')).toBe(1)
})

describe.each([
  ['Europe/Berlin', '2026-11-27T11:00', '2026-07-01T12:00'],
  ['America/St_Johns', '2026-11-27T06:30', '2026-07-01T07:30'],
  ['Asia/Kolkata', '2026-11-27T15:30', '2026-07-01T15:30'],
])('in %s', (zone, winter, summer) => {
  const before = process.env.TZ
  beforeEach(() => (process.env.TZ = zone))
  afterEach(() => (process.env.TZ = before))

  test('datetimes are shown and typed in the local time', () => {
    expect(toText('datetime', '2026-11-27T10:00:00Z', 'en')).toBe(winter)
    expect(toText('datetime', '2026-07-01T10:00:00Z', 'en')).toBe(summer)
    expect(parse('datetime', winter, 'en')).toBe('2026-11-27T10:00:00Z')
    expect(parse('datetime', `${summer}:30`, 'en')).toBe('2026-07-01T10:00:30Z')
    expect(toText('datetime', '2026-11-27T10:00:30.5Z', 'en')).toBe(`${winter}:30`)
  })

  test('dates do not shift', () => {
    expect(parse('date', '2026-11-27', 'en')).toBe('2026-11-27')
    expect(toText('date', '2026-11-27', 'en')).toBe('2026-11-27')
  })
})

describe('in Berlin', () => {
  const before = process.env.TZ
  beforeEach(() => (process.env.TZ = 'Europe/Berlin'))
  afterEach(() => (process.env.TZ = before))

  test('a time that the clocks skip is invalid', () => {
    expect(parse('datetime', '2026-03-29T02:30', 'en')).toBeUndefined()
    expect(parse('datetime', '2026-03-29T03:30', 'en')).toBe('2026-03-29T01:30:00Z')
  })

  test('a time outside the years 1 to 9999 in UTC is invalid', () => {
    expect(parse('datetime', '0001-01-01T00:00', 'en')).toBeUndefined()
    expect(parse('datetime', '9999-12-31T23:59', 'en')).toBe('9999-12-31T22:59:00Z')
    expect(toText('datetime', '0999-06-01T12:00:00Z', 'en')).toMatch(/^0999-06-01T/)
  })
})
