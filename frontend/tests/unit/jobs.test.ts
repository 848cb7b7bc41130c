import { afterEach, expect, test } from 'vitest'
import { isUnfinished, kindText } from '@/jobs'
import { setLocale } from '@/plugins/i18n'

afterEach(() => setLocale('en'))

test.each([
  ['send_test_email', 'Test email', 'Тестовое письмо'],
  ['prune', 'Cleanup of old data', 'Удаление старых данных'],
  ['rebuild_search_index', 'Rebuild search index', 'Rebuild search index'],
])('the kind %s is readable', async (kind, english, russian) => {
  expect(kindText(kind)).toBe(english)
  await setLocale('ru')
  expect(kindText(kind)).toBe(russian)
})

test.each([
  ['queued', true],
  ['running', true],
  ['succeeded', false],
  ['failed', false],
  ['cancelled', false],
] as const)('a job that is %s can change: %s', (state, can) => {
  expect(isUnfinished({ state })).toBe(can)
})
