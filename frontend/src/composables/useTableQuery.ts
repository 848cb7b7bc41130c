import { computed } from 'vue'
import { type LocationQuery, type LocationQueryValue, useRoute, useRouter } from 'vue-router'

export const PAGE_SIZES = [10, 25, 50, 100]

export interface TableQuery {
  page: number
  limit: number
  /** A column's name, `-` before it for descending. */
  sort: string
  q: string
}

const first = (value: LocationQueryValue | LocationQueryValue[] | undefined): string =>
  (Array.isArray(value) ? value[0] : value) ?? ''

/** What a table shows, from an address that anybody may have typed. */
export function parseTableQuery(query: LocationQuery, sorts: readonly string[]): TableQuery {
  const page = Number(first(query.page))
  const limit = Number(first(query.limit))
  const sort = first(query.sort)
  return {
    page: Number.isSafeInteger(page) && page >= 1 && page <= 10_000_000 ? page : 1,
    limit: PAGE_SIZES.includes(limit) ? limit : 10,
    sort: sorts.includes(sort.replace(/^-/, '')) ? sort : 'id',
    q: Array.from(first(query.q)).slice(0, 255).join(''),
  }
}

/** The state of a table, kept in the address so that reload and Back work. */
export function useTableQuery(sorts: readonly string[]) {
  const route = useRoute()
  const router = useRouter()
  const state = computed(() => parseTableQuery(route.query, sorts))

  let wanted: TableQuery | undefined

  /** Adds an entry to the history, or replaces the current one while a search is typed. */
  function change(part: Partial<TableQuery>, { replace = false } = {}): void {
    // One click can be several changes, of which each builds on the one before.
    const next = (wanted = { ...(wanted ?? state.value), page: 1, ...part })
    const { page, limit, sort, q } = next
    const query = {
      page: page > 1 ? page : undefined,
      limit: limit === 10 ? undefined : limit,
      sort: sort === 'id' ? undefined : sort,
      q: q || undefined,
    }
    void router[replace ? 'replace' : 'push']({ query }).finally(() => {
      if (wanted === next) wanted = undefined
    })
  }

  return { state, change }
}
