import { expect, test } from 'vitest'
import type { LocationQuery } from 'vue-router'
import { parseTableQuery } from '@/composables/useTableQuery'
import { safePath } from '@/safePath'

test.each([
  ['/main/admin/users/all?page=2', '/main/admin/users/all?page=2'],
  ['https://evil.example', '/main'],
  ['//evil.example', '/main'],
  ['/\\evil.example', '/main'],
  ['javascript:alert(1)', '/main'],
  [undefined, '/main'],
  [['/main', '/login'], '/main'],
])('after the login, %o leads to %s', (wanted, path) => {
  expect(safePath(wanted)).toBe(path)
})

test('a table reads its state from the address', () => {
  expect(
    parseTableQuery({ page: '3', limit: '25', sort: '-title', q: 'x' }, ['id', 'title']),
  ).toEqual({ page: 3, limit: 25, sort: '-title', q: 'x' })
})

test.each<LocationQuery>([
  {},
  { page: '0', limit: '7', sort: 'password' },
  { page: '-1', limit: '1e9', sort: '--id' },
  { page: 'NaN', limit: '', sort: '-' },
  { page: '99999999999999999999', limit: null, sort: ['', 'id'] },
])('the query %o shows the first page', (query) => {
  expect(parseTableQuery(query, ['id', 'title'])).toEqual({ page: 1, limit: 10, sort: 'id', q: '' })
})
