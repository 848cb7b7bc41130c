import { type QueryKey, type UndefinedInitialQueryOptions, useQuery } from '@tanstack/vue-query'
import { ref, type Ref, watchEffect } from 'vue'

/**
 * Returns the form for a new record, or for the record that the query `read` loads.
 *
 * The form has the fields of `empty`. A new request always fills it: if the user saved cached values, they
 * could undo changes that somebody else has made since.
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
  // Fill the form only once: a later response must not overwrite the user's input.
  watchEffect(() => {
    if (!isSuccess.value || !isFetchedAfterMount.value || form.value) return
    const record: Form = data.value!
    const fields = Object.keys(empty) as (keyof Form)[]
    form.value = Object.fromEntries(fields.map((field) => [field, record[field]])) as Form
  })
  return { form, error, refetch }
}
