import { computed } from 'vue'
import { type LocationQuery, type LocationQueryValue, useRoute, useRouter } from 'vue-router'

export const PAGE_SIZES = [10, 25, 50, 100]

export interface TableQuery {
  page: number
  limit: number
  /** The name of a column, with a leading `-` for descending order. */
  sort: string
  q: string
}

const first = (value: LocationQueryValue | LocationQueryValue[] | undefined): string =>
  (Array.isArray(value) ? value[0] : value) ?? ''

/** Reads the state of a table from the URL. Replaces invalid values by the defaults. */
export function parseTableQuery(
  query: LocationQuery,
  sorts: readonly string[],
  defaultSort = 'id',
): TableQuery {
  const page = Number(first(query.page))
  const limit = Number(first(query.limit))
  const sort = first(query.sort)
  return {
    page: Number.isSafeInteger(page) && page >= 1 && page <= 10_000_000 ? page : 1,
    limit: PAGE_SIZES.includes(limit) ? limit : 10,
    sort: sorts.includes(sort.replace(/^-/, '')) ? sort : defaultSort,
    q: Array.from(first(query.q)).slice(0, 255).join(''),
  }
}

/** Keeps the state of a table in the URL, so that reload and Back work. */
export function useTableQuery(sorts: readonly string[], defaultSort: string) {
  const route = useRoute()
  const router = useRouter()
  const state = computed(() => parseTableQuery(route.query, sorts, defaultSort))

  let pending: TableQuery | undefined

  /** Navigates to the changed state, with a new history entry unless `replace` is set. */
  function change(part: Partial<TableQuery>, { replace = false } = {}): void {
    // One click can cause several changes. Each change builds on the previous one.
    const next = (pending = { ...(pending ?? state.value), page: 1, ...part })
    const { page, limit, sort, q } = next
    const query = {
      page: page > 1 ? page : undefined,
      limit: limit === 10 ? undefined : limit,
      sort: sort === defaultSort ? undefined : sort,
      q: q || undefined,
    }
    void router[replace ? 'replace' : 'push']({ query }).finally(() => {
      if (pending === next) pending = undefined
    })
  }

  return { state, change }
}
