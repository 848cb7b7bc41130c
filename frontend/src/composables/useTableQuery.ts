import { useLocalStorage } from '@vueuse/core'
import { computed } from 'vue'
import { type LocationQuery, type LocationQueryValue, useRoute, useRouter } from 'vue-router'
import { type Filter, isFilterValue } from '@/filters'

export const PAGE_SIZES = [10, 25, 50, 100]
const DEFAULT_SIZE = 10

export interface TableQuery {
  page: number
  limit: number
  /** The name of a column, with a leading `-` for descending order. */
  sort: string
  q: string
  /** The values of the filters that are set, by their names. */
  filters: Record<string, string>
}

interface TableOptions {
  /** The columns that the list can be sorted by. */
  sorts: readonly string[]
  /** Newest first. */
  defaultSort?: string
  /** The number of rows, if the address has none. */
  limit?: number
  filters?: readonly Filter[]
}

const first = (value: LocationQueryValue | LocationQueryValue[] | undefined): string =>
  (Array.isArray(value) ? value[0] : value) ?? ''

/** Reads the state of a table from the URL. Replaces invalid values by the defaults. */
export function parseTableQuery(
  query: LocationQuery,
  { sorts, defaultSort = '-id', limit: storedLimit = DEFAULT_SIZE, filters = [] }: TableOptions,
): TableQuery {
  const page = Number(first(query.page))
  const limit = Number(first(query.limit))
  const sort = first(query.sort)
  const set = filters.flatMap((filter) => {
    const value = first(query[filter.name])
    return isFilterValue(filter, value) ? [[filter.name, value]] : []
  })
  return {
    page: Number.isSafeInteger(page) && page >= 1 && page <= 10_000_000 ? page : 1,
    limit: [limit, storedLimit].find((size) => PAGE_SIZES.includes(size)) ?? DEFAULT_SIZE,
    sort: sorts.includes(sort.replace(/^-/, '')) ? sort : defaultSort,
    q: Array.from(first(query.q)).slice(0, 255).join(''),
    filters: Object.fromEntries(set),
  }
}

/** Keeps the state of a table in the URL, so that reload and Back work. The number of rows is remembered. */
export function useTableQuery(options: () => Omit<TableOptions, 'limit'>) {
  const route = useRoute()
  const router = useRouter()
  const storedLimit = useLocalStorage('page-size', DEFAULT_SIZE)
  const state = computed(() =>
    parseTableQuery(route.query, { ...options(), limit: storedLimit.value }),
  )

  let pending: TableQuery | undefined

  /** Navigates to the changed state, with a new history entry unless `replace` is set. */
  function change(part: Partial<TableQuery>, { replace = false } = {}): void {
    // One click can cause several changes. Each change builds on the previous one.
    const next = (pending = { ...(pending ?? state.value), page: 1, ...part })
    if (part.limit) storedLimit.value = part.limit
    const { page, limit, sort, q, filters } = next
    const query = {
      page: page > 1 ? page : undefined,
      limit: limit === DEFAULT_SIZE ? undefined : limit,
      sort: sort === (options().defaultSort ?? '-id') ? undefined : sort,
      q: q || undefined,
      ...filters,
    }
    void router[replace ? 'replace' : 'push']({ query }).finally(() => {
      if (pending === next) pending = undefined
    })
  }

  return { state, change }
}
