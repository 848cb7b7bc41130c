import { afterEach, expect, test } from 'vitest'
import { ApiError, errorText, problemText, toApiError } from '@/api'
import { setLocale } from '@/plugins/i18n'

const answer = (status: number, headers?: HeadersInit) => new Response(null, { status, headers })

afterEach(() => setLocale('en'))

test('a refusal has the status and the text of the API', () => {
  const error = toApiError({ detail: 'Item not found' }, answer(404))
  expect(error).toMatchObject({ status: 404, detail: 'Item not found', isAway: false })
})

test('each invalid field keeps its own text', () => {
  const detail = [{ type: 'too_short', loc: ['body', 'title'], msg: 'Too short' }]
  expect(toApiError({ detail }, answer(422)).problems).toEqual([
    { field: 'title', type: 'too_short', text: 'Too short' },
  ])
})

test('a problem is translated by its type, and shown as it is without a translation', async () => {
  const common = { field: 'password', type: 'password_too_common', text: 'Too common.' }
  expect(problemText(common)).toBe('Choose a less common password')
  await setLocale('ru')
  expect(problemText(common)).toBe('Выберите менее распространённый пароль')
  expect(problemText({ ...common, type: 'of_tomorrow' })).toBe('Too common.')
})

test.each([
  ['no answer', undefined],
  ['an answer cut short', answer(200)],
  ['a proxy without a backend', answer(502)],
  ['the page’s own server, asked in its place', answer(404)],
])('%s means that the server may be away', (_, response) => {
  const error = toApiError(new TypeError('Failed to fetch'), response)
  expect(error.isAway).toBe(true)
  expect(errorText(error)).toBe("The server can't be reached. Try again.")
})

test('an answer that is not the API’s shows nothing internal', () => {
  expect(errorText(toApiError('<html>Traceback</html>', answer(500)))).toBe(
    'Something went wrong. Try again.',
  )
})

test('too many attempts say when to try again', () => {
  const error = toApiError({ detail: 'Too Many Requests' }, answer(429, { 'Retry-After': '17' }))
  expect(errorText(error)).toBe('Too many attempts. Try again in 17 s.')
})

test('the API’s texts are shown in the chosen language', async () => {
  const error = new ApiError(404, 'Item not found')
  expect(errorText(error)).toBe('Item not found')
  await setLocale('ru')
  expect(errorText(error)).toBe('Запись не найдена')
  expect(errorText(new ApiError(400, 'A text of tomorrow'))).toBe('A text of tomorrow')
})
