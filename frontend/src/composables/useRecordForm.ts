import { type QueryKey, useQuery } from '@tanstack/vue-query'
import { ref, type Ref, watchEffect } from 'vue'

/**
 * The form of a record, filled when the record has been read.
 *
 * It is always read anew: to save what was cached would undo what others have changed meanwhile.
 */
export function useRecordForm<Data, Form>(
  queryKey: QueryKey,
  read: () => Promise<{ data: Data }>,
  toForm: (record: Data) => Form,
) {
  const { data, error, refetch } = useQuery({
    queryKey,
    queryFn: async () => (await read()).data,
    gcTime: 0,
  })
  const form: Ref<Form | undefined> = ref()
  // Only once: what is typed must not be overwritten by a later answer.
  watchEffect(() => {
    if (data.value) form.value ??= toForm(data.value)
  })
  return { form, error, refetch }
}
