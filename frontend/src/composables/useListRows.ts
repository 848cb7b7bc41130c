import { keepPreviousData, type QueryKey, useQuery } from '@tanstack/vue-query'
import { computed, type ComputedRef, shallowRef, watch } from 'vue'
import { useDelayed } from '@/composables/useDelayed'
import type { TableQuery } from '@/composables/useTableQuery'
import type { Filter } from '@/filters'
import { useDeletions } from '@/store/deletions'

const REFETCH_INTERVAL_MS = 2_000

/** `sort` is never, because each list has its own type of sort keys. */
export interface ListRequest {
  query: { skip: number; limit: number; sort: never; q: string }
}

export interface ListSource<Row> {
  /** The name of the list, under which its deletions are stored. */
  name: string
  filters: readonly Filter[]
  read: (
    options: ListRequest & { signal: AbortSignal; throwOnError: true },
  ) => Promise<{ data: Row[]; response: Response }>
  queryKey: (options: ListRequest) => QueryKey
  /** Whether a row is about to change. The list is read again regularly while it shows such a row. */
  isChanging?: (row: Row) => boolean
}

/** Reads a page of rows. The rows stay while others are read, and if that fails. */
export function useListRows<Row extends { id: number }>(
  state: ComputedRef<TableQuery>,
  source: () => ListSource<Row>,
) {
  const deletions = useDeletions()

  const request = computed((): ListRequest => {
    const { page, limit, sort, q, filters: values } = state.value
    const parameters = source().filters.map(({ name, toQuery }) => {
      const value = values[name]
      if (!value) return {}
      return toQuery?.(value) ?? { [name]: value }
    })
    const query = { skip: (page - 1) * limit, limit, sort: sort as never, q }
    return { query: Object.assign(query, ...parameters) }
  })
  const isAnyChanging = (rows: Row[] = []) => rows.some((row) => source().isChanging?.(row))
  const { data, error, isFetching, refetch } = useQuery({
    // Differs from the generated query's key, because the cached value contains the total too.
    queryKey: computed(() => [...source().queryKey(request.value), 'with total']),
    queryFn: async ({ signal }) => {
      const { data, response } = await source().read({
        ...request.value,
        signal,
        throwOnError: true,
      })
      return { rows: data, total: Number(response.headers.get('X-Total-Count')) }
    },
    placeholderData: keepPreviousData,
    // Vue Query reads nothing while the browser's tab is hidden.
    refetchInterval: ({ state }) => (isAnyChanging(state.data?.rows) ? REFETCH_INTERVAL_MS : false),
  })
  const shown = shallowRef(data.value)
  watch(data, (now) => (shown.value = now ?? shown.value))

  const rows = computed(
    () => shown.value?.rows.filter(({ id }) => !deletions.isHidden(source().name, id)) ?? [],
  )
  const total = computed(() =>
    shown.value ? shown.value.total - (shown.value.rows.length - rows.value.length) : 0,
  )
  const isLoading = computed(() => !shown.value && !error.value)
  const isEmpty = computed(() => !!shown.value && !total.value)
  const isSlow = useDelayed(
    () => isFetching.value && !!shown.value && !isAnyChanging(shown.value.rows),
  )
  return { request, data, shown, rows, total, error, isLoading, isEmpty, isSlow, refetch }
}
