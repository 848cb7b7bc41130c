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
])('the redirect %o after login leads to %s', (redirect, path) => {
  expect(safePath(redirect)).toBe(path)
})

test('the state of a table is read from the query', () => {
  expect(
    parseTableQuery({ page: '3', limit: '25', sort: '-title', q: 'x' }, ['id', 'title']),
  ).toEqual({ page: 3, limit: 25, sort: '-title', q: 'x' })
})

test('a list can have another default order', () => {
  expect(parseTableQuery({}, ['title'], '-id').sort).toBe('-id')
})

test.each<LocationQuery>([
  {},
  { page: '0', limit: '7', sort: 'password' },
  { page: '-1', limit: '1e9', sort: '--id' },
  { page: 'NaN', limit: '', sort: '-' },
  { page: '99999999999999999999', limit: null, sort: ['', 'id'] },
])('the invalid query %o gives the defaults', (query) => {
  expect(parseTableQuery(query, ['id', 'title'])).toEqual({ page: 1, limit: 10, sort: 'id', q: '' })
})
