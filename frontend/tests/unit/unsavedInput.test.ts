import { effectScope, ref, shallowReactive } from 'vue'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { FieldValue } from '@/schema'
import { token } from '@/token'
import { type Fields, forgetInput, hasUnsavedInput, isChanged, reportInput } from '@/unsavedInput'

beforeEach(() => {
  token.value = 'a token'
})
afterEach(() => {
  token.value = ''
})

test.each<[FieldValue, FieldValue, boolean]>([
  ['a', 'a', false],
  ['a', 'A', true],
  ['a', '', true],
  // The value of a field that was filled and emptied again.
  [null, '', false],
  [undefined, null, false],
  [undefined, '', false],
  [null, 0, true],
  [null, false, true],
  [true, false, true],
  ['1.5', '1.50', true],
])('a field that was opened with %o and has %o now is changed: %o', (initial, now, changed) => {
  expect(isChanged(new Map([['field', { value: () => now, initial }]]))).toBe(changed)
})

test('input is unsaved until it is forgotten, its form is closed or the session ends', () => {
  const value = ref('')
  const fields: Fields = shallowReactive(new Map())
  const scope = effectScope()
  scope.run(() => reportInput(fields))
  fields.set('field', { value: () => value.value, initial: '' })
  expect(hasUnsavedInput.value).toBe(false)

  value.value = 'typed'
  expect(hasUnsavedInput.value).toBe(true)
  forgetInput()
  expect(hasUnsavedInput.value).toBe(false)

  value.value = ''
  expect(hasUnsavedInput.value).toBe(true)
  token.value = ''
  expect(hasUnsavedInput.value).toBe(false)
  token.value = 'a token'
  expect(hasUnsavedInput.value).toBe(true)
  // A field that is no longer in the form cannot be lost.
  fields.delete('field')
  expect(hasUnsavedInput.value).toBe(false)

  fields.set('field', { value: () => 'typed', initial: '' })
  expect(hasUnsavedInput.value).toBe(true)
  scope.stop()
  expect(hasUnsavedInput.value).toBe(false)
})
