import { type QueryKey, type UndefinedInitialQueryOptions, useQuery } from '@tanstack/vue-query'
import { computed, ref, type Ref, shallowRef, watchEffect } from 'vue'

/** The values of a form: a required number, date, option or reference is null until the user enters it. */
export type Draft<Body> = { [Field in keyof Body]: Body[Field] | null }

/**
 * Returns the form for a new record, or for the record that the query `read` loads.
 *
 * The form has the fields of `empty`. A new request always fills it: if the user saved cached values, they
 * could undo changes that somebody else has made since. `record` is the whole record that filled the form.
 * `fill` replaces the input by the values of another version.
 */
export function useRecordForm<Form extends object, Row extends Form, E, Key extends QueryKey>(
  empty: Form,
  read?: UndefinedInitialQueryOptions<Row, E, Row, Key>,
) {
  const form = ref(read ? undefined : { ...empty }) as Ref<Form | undefined>
  const record = shallowRef<Row>()

  function fill(row: Row): void {
    record.value = row
    const values: Form = row
    const fields = Object.keys(empty) as (keyof Form)[]
    form.value = Object.fromEntries(fields.map((field) => [field, values[field]])) as Form
  }
  if (!read) return { form, record, fill }

  const { data, error, isSuccess, isFetchedAfterMount, refetch } = useQuery({
    ...read,
    refetchOnMount: 'always',
    // Fill the form only once: a later response must not overwrite the user's input.
    enabled: computed(() => !form.value),
  })
  watchEffect(() => {
    if (isSuccess.value && isFetchedAfterMount.value && !form.value) fill(data.value!)
  })
  return { form, record, fill, error, refetch }
}
