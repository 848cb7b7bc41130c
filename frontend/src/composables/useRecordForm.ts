import { type QueryKey, type UndefinedInitialQueryOptions, useQuery } from '@tanstack/vue-query'
import { ref, type Ref, watchEffect } from 'vue'

/**
 * The form of a new record, or of the one that `read` reads.
 *
 * The form has the fields of `empty`. It is filled by a request of its own: saving cached values would undo
 * what others have changed meanwhile.
 */
export function useRecordForm<Form extends object, Row extends Form, E, Key extends QueryKey>(
  empty: Form,
  read?: UndefinedInitialQueryOptions<Row, E, Row, Key>,
) {
  const form = ref(read ? undefined : empty) as Ref<Form | undefined>
  if (!read) return { form }
  const { data, error, isSuccess, isFetchedAfterMount, refetch } = useQuery({
    ...read,
    refetchOnMount: 'always',
  })
  // Only once: a later response must not overwrite what was typed.
  watchEffect(() => {
    if (!isSuccess.value || !isFetchedAfterMount.value || form.value) return
    const record: Form = data.value!
    const fields = Object.keys(empty) as (keyof Form)[]
    form.value = Object.fromEntries(fields.map((field) => [field, record[field]])) as Form
  })
  return { form, error, refetch }
}
