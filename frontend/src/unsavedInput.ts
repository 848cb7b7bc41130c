/** Knows whether an open form has unsaved input. `LeaveGuard.vue` asks the user before it is lost. */

import { computed, onScopeDispose, shallowReactive } from 'vue'
import type { FieldValue } from '@/schema'
import { token } from '@/token'

interface Field {
  value: () => FieldValue
  /** The value that the form was opened with. */
  initial: FieldValue
}

/** The fields that a form contains now, by name. */
export type Fields = Map<string, Field>

const forms = shallowReactive(new Set<Fields>())

/** Returns whether the user has changed a field. An empty text, null and undefined look the same. */
export const isChanged = (fields: Fields): boolean =>
  [...fields.values()].some(({ value, initial }) => (value() ?? '') !== (initial ?? ''))

/** Without a session, the input could not be saved: the end of the session leads to the login view. */
export const hasUnsavedInput = computed(() => token.value !== '' && [...forms].some(isChanged))

/** Reports the input of a form until its component is unmounted. */
export function reportInput(fields: Fields): void {
  forms.add(fields)
  onScopeDispose(() => forms.delete(fields))
}

/** Treats all input as saved. Call this to leave a form without a question. */
export function forgetInput(): void {
  for (const fields of forms) {
    for (const [name, { value }] of fields) fields.set(name, { value, initial: value() })
  }
}
