import { afterEach, expect, test } from 'vitest'
import { errorText, problemText, toApiError } from '@/api'
import { setLocale } from '@/plugins/i18n'
import { rulesOf } from '@/rules'
import type { ObjectSchema } from '@/schema'

const response = (status: number, headers?: HeadersInit) => new Response(null, { status, headers })

afterEach(() => setLocale('en'))

test('an error contains the code and the field of the response body', () => {
  const body = { detail: 'x', code: 'email_taken', field: 'email' }
  expect(toApiError(body, response(409))).toMatchObject({
    status: 409,
    code: 'email_taken',
    field: 'email',
    isUnreachable: false,
  })
})

test('each validation error contains its type and limits', () => {
  const detail = [
    { type: 'string_too_short', loc: ['body', 'title'], msg: 'x', ctx: { min_length: 3 } },
    { type: 'missing', loc: ['body', 'email'], msg: 'x' },
  ]
  const error = toApiError({ detail, code: 'validation_error' }, response(422))
  expect(error.problems).toEqual([
    { field: 'title', type: 'string_too_short', limits: { min_length: 3 } },
    { field: 'email', type: 'missing', limits: {} },
  ])
})

test.each([
  ['string_too_short', { min_length: 8 }, 'At least 8 characters', 'Не менее 8 символов'],
  [
    'password_too_common',
    {},
    'Choose a less common password',
    'Выберите менее распространённый пароль',
  ],
  ['greater_than_equal', { ge: 0 }, 'At least 0', 'Не менее 0'],
  ['less_than_equal', { le: '1234.5' }, 'At most 1234.5', 'Не более 1234,5'],
  [
    'decimal_max_places',
    { decimal_places: 1 },
    'At most 1 decimal place',
    'Не более 1 знака после запятой',
  ],
  ['int_parsing', {}, 'Enter a whole number', 'Введите целое число'],
  ['date_from_datetime_parsing', { error: 'x' }, 'Enter a valid date', 'Введите существующую дату'],
  ['unknown_code', {}, 'Enter a valid value', 'Введите допустимое значение'],
])('the message for %s follows the locale', async (type, limits, english, russian) => {
  const problem = { field: 'password', type, limits }
  expect(problemText(problem)).toBe(english)
  await setLocale('ru')
  expect(problemText(problem)).toBe(russian)
})

test.each([
  ['no response', undefined],
  ['a response that was cut short', response(200)],
  ['a proxy without a backend', response(502)],
  ['a 404 from the web server', response(404)],
])('%s means that the server may be unreachable', (_, response) => {
  const error = toApiError(new TypeError('Failed to fetch'), response)
  expect(error.isUnreachable).toBe(true)
  expect(errorText(error)).toBe("The server can't be reached. Try again.")
})

const HTML = '<html>Traceback</html>'
test.each([
  ['a code', 404, { detail: 'x', code: 'not_found' }, 'Not found. It may have been deleted.'],
  ['an unknown code', 400, { detail: 'x', code: 'unknown_code' }, undefined],
  ['no code', 400, { detail: 'x' }, undefined],
  ['HTML of a proxy', 500, HTML, undefined],
  ['an empty body', 500, '', undefined],
])('the message for an error with %s follows the locale', async (_, status, body, text) => {
  const error = toApiError(body, response(status))
  const english = errorText(error)
  expect(english).toBe(text ?? 'Something went wrong. Try again.')
  await setLocale('ru')
  expect(errorText(error)).toMatch(/^[А-Я][а-яё ,-]+\. [А-Яа-яё ,]+\.$/)
})

test.each([
  [1, '1 second', '1 секунду'],
  [2, '2 seconds', '2 секунды'],
  [11, '11 seconds', '11 секунд'],
  [21, '21 seconds', '21 секунду'],
  [119, '119 seconds', '119 секунд'],
  [120, '2 minutes', '2 минуты'],
  [1201, '21 minutes', '21 минуту'],
  [7199, '120 minutes', '120 минут'],
  [7200, '2 hours', '2 часа'],
  [86_400, '24 hours', '24 часа'],
  [31 * 86_400, '31 days', '31 день'],
])('an error 429 shows the time to wait in its plural form for %i', async (s, english, russian) => {
  const headers = { 'Retry-After': `${s}` }
  const error = toApiError({ detail: 'x', code: 'too_many_attempts' }, response(429, headers))
  const errorOfProxy = toApiError('Too Many Requests', response(429, headers))
  expect(errorText(error)).toBe(`Too many attempts. Try again in ${english}.`)
  expect(errorText(errorOfProxy)).toBe(errorText(error))
  await setLocale('ru')
  expect(errorText(error)).toBe(`Слишком много попыток. Попробуйте снова через ${russian}.`)
})

test.each([
  [1, 'At most 1 character', 'Не более 1 символа'],
  [3, 'At most 3 characters', 'Не более 3 символов'],
  [11, 'At most 11 characters', 'Не более 11 символов'],
  [21, 'At most 21 characters', 'Не более 21 символа'],
])('a limit shows the plural form for %i', async (max_length, english, russian) => {
  const problem = { field: 'title', type: 'string_too_long', limits: { max_length } }
  const schema: ObjectSchema = { properties: { title: { type: 'string', maxLength: max_length } } }
  const [, , tooLong] = rulesOf(schema, 'title')
  const text = 'x'.repeat(max_length + 1)
  expect([problemText(problem), tooLong!(text)]).toEqual([english, english])
  await setLocale('ru')
  expect([problemText(problem), tooLong!(text)]).toEqual([russian, russian])
})
