/** The filters of lists. Their values are in the address; the API gets them as query parameters. */

import { type User, usersReadUserById, usersReadUsers } from '@/client'
import { i18n } from '@/plugins/i18n'
import type { Reference } from '@/schema'

interface FilterBase {
  /** The parameter of the address, and of the API unless `toQuery` returns others. */
  name: string
  title: string
  toQuery?: (value: string) => Record<string, string>
}

/** A choice between a few options. */
export interface OptionFilter extends FilterBase {
  options: { value: string; title: string }[]
  /** Whether all options are visible beside each other. */
  isSegmented?: boolean
}

/** A choice between the rows of another list. The value is the id. */
export interface ReferenceFilter extends FilterBase {
  search: (q: string, signal: AbortSignal) => Promise<Reference[]>
  find: (id: number) => Promise<Reference>
}

export type Filter = OptionFilter | ReferenceFilter

const MAX_ID = 2_147_483_647

/** Whether a value of the address is one that the filter can have. */
export function isFilterValue(filter: Filter, value: string): boolean {
  if ('options' in filter) return filter.options.some((option) => option.value === value)
  return /^[1-9]\d*$/.test(value) && Number(value) <= MAX_ID
}

/** Sets the value of a filter, or removes it if there is none. */
export function withValue(
  values: Record<string, string>,
  name: string,
  value: string | undefined,
): Record<string, string> {
  const others = Object.entries(values).filter(([other]) => other !== name)
  return Object.fromEntries(value ? [...others, [name, value]] : others)
}

const nameOf = ({ id, full_name, email }: User): Reference => ({ id, title: full_name || email })

/** Filters by the user who owns a row. */
export function ownerFilter(): ReferenceFilter {
  return {
    name: 'owner_id',
    title: i18n.global.t('field.owner'),
    search: async (q, signal) => {
      const { data } = await usersReadUsers({ query: { q, limit: 10 }, signal, throwOnError: true })
      return data.map(nameOf)
    },
    find: async (id) => {
      const { data } = await usersReadUserById({ path: { user_id: id }, throwOnError: true })
      return nameOf(data)
    },
  }
}

const DAYS = { today: 0, week: 6, month: 29 }

/** Filters by the age of a row. */
export function createdFilter(): OptionFilter {
  const { t } = i18n.global
  return {
    name: 'created',
    title: t('field.created_at'),
    options: [
      { value: 'today', title: t('filter.today') },
      { value: 'week', title: t('filter.week') },
      { value: 'month', title: t('filter.month') },
    ],
    toQuery: (value) => {
      // Midnight, because another time would make each query a different one.
      const since = new Date()
      since.setHours(0, 0, 0, 0)
      since.setDate(since.getDate() - DAYS[value as keyof typeof DAYS])
      return { created_since: since.toISOString() }
    },
  }
}
