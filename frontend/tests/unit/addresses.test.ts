import { expect, test } from 'vitest'
import type { LocationQuery } from 'vue-router'
import { parseTableQuery } from '@/composables/useTableQuery'
import type { Filter } from '@/filters'
import { safePath } from '@/safePath'

const FILTERS: Filter[] = [
  { name: 'state', title: 'State', options: [{ value: 'done', title: 'Done' }] },
  {
    name: 'item_id',
    title: 'Item',
    search: () => Promise.resolve([]),
    find: (id) => Promise.resolve({ id, title: 'x' }),
  },
]

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
    parseTableQuery(
      { page: '3', limit: '25', sort: '-title', q: 'x', state: 'done', item_id: '5' },
      { sorts: ['id', 'title'], filters: FILTERS },
    ),
  ).toEqual({
    page: 3,
    limit: 25,
    sort: '-title',
    q: 'x',
    filters: { state: 'done', item_id: '5' },
  })
})

test('a list can have another default order', () => {
  expect(parseTableQuery({}, { sorts: ['title'], defaultSort: 'title' }).sort).toBe('title')
})

test('the page size of the address wins over the remembered one', () => {
  const read = (query: LocationQuery, limit: number) =>
    parseTableQuery(query, { sorts: [], limit }).limit
  expect([read({}, 25), read({ limit: '50' }, 25), read({ limit: '7' }, 8)]).toEqual([25, 50, 10])
})

test.each<LocationQuery>([
  {},
  { page: '0', limit: '7', sort: 'password' },
  { page: '-1', limit: '1e9', sort: '--id' },
  { page: 'NaN', limit: '', sort: '-', state: 'other', item_id: '0' },
  { state: '', item_id: '2147483648' },
  { item_id: '1.5' },
  { page: '99999999999999999999', limit: null, sort: ['', 'id'] },
])('the invalid query %o gives the defaults', (query) => {
  expect(parseTableQuery(query, { sorts: ['id', 'title'], filters: FILTERS })).toEqual({
    page: 1,
    limit: 10,
    sort: '-id',
    q: '',
    filters: {},
  })
})
