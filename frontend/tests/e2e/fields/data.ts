import { reactive } from 'vue'
import { ApiError } from '@/api'
import type { Reference } from '@/schema'

const nullable = (property: object) => ({ anyOf: [property, { type: 'null' }] })
const decimal = {
  type: 'string',
  format: 'decimal',
  maxDigits: 12,
  decimalPlaces: 2,
  pattern: '^-?[0-9]{1,10}(\\.[0-9]{1,2})?$',
}

export const ThingCreateSchema = {
  properties: {
    title: { type: 'string', minLength: 1, maxLength: 20 },
    note: nullable({ type: 'string', maxLength: 100 }),
    count: { type: 'integer', minimum: -5, maximum: 2_147_483_647 },
    rank: nullable({ type: 'integer', minimum: 0, maximum: 100 }),
    price: { ...decimal, minimum: 0 },
    discount: nullable(decimal),
    is_open: { type: 'boolean' },
    day: { type: 'string', format: 'date' },
    ends_on: nullable({ type: 'string', format: 'date' }),
    starts_at: { type: 'string', format: 'date-time' },
    seen_at: nullable({ type: 'string', format: 'date-time' }),
    state: { type: 'string', enum: ['draft', 'done'] },
    priority: nullable({ type: 'string', enum: ['low', 'high'] }),
    item_id: { type: 'integer', minimum: 1 },
    parent_id: nullable({ type: 'integer', minimum: 1 }),
  },
}

export const ThingSchema = {
  properties: {
    ...ThingCreateSchema.properties,
    id: { type: 'integer' },
    item: { $ref: '#/components/schemas/Reference' },
    parent: nullable({ $ref: '#/components/schemas/Reference' }),
  },
}

export interface ThingCreate {
  title: string
  note: string | null
  count: number
  rank: number | null
  price: string
  discount: string | null
  is_open: boolean
  day: string
  ends_on: string | null
  starts_at: string
  seen_at: string | null
  state: 'draft' | 'done'
  priority: 'low' | 'high' | null
  item_id: number
  parent_id: number | null
}

export interface Thing extends ThingCreate {
  id: number
  item: Reference
  parent: Reference | null
}

export const thing: Thing = {
  id: 1_234_567,
  title: 'A thing',
  note: null,
  count: -3,
  rank: 0,
  price: '1234567.50',
  discount: null,
  is_open: true,
  day: '2026-11-27',
  ends_on: null,
  starts_at: '2026-11-27T10:00:30.123456Z',
  seen_at: '2026-07-01T23:30:00Z',
  state: 'done',
  priority: 'high',
  item_id: 77,
  item: { id: 77, title: 'The stored item' },
  parent_id: 5,
  parent: { id: 5, title: 'The stored parent' },
}

/** The search texts of the requests so far. */
export const searches = reactive<string[]>([])

/** Stands for the API's list. The response to “slow” arrives later than that to “slow 2”. */
export async function readItems({ query }: { query: { q: string; limit: number } }) {
  searches.push(`${query.q} (${query.limit})`)
  await new Promise((resolve) => setTimeout(resolve, query.q === 'slow' ? 1_500 : 50))
  if (query.q === 'fail') throw new ApiError(500, 'internal_error')
  const rows = Array.from({ length: 30 }, (_, index) => ({
    id: index + 1,
    name: `Item ${index + 1}`,
  }))
  rows.push({ id: 101, name: 'slow 1' }, { id: 102, name: 'slow 2' })
  return { data: rows.filter(({ name }) => name.includes(query.q)).slice(0, query.limit) }
}

const names = Object.keys(ThingCreateSchema.properties)
const fields = Object.fromEntries(names.map((name) => [name, `Field ${name}`]))
export const texts = {
  en: {
    field: { ...fields, item: 'Field item', parent: 'Field parent' },
    option: {
      state: { draft: 'Draft', done: 'Done' },
      priority: { low: 'Low', high: 'High' },
    },
  },
  ru: {
    field: { ...fields, item: 'Field item', parent: 'Field parent' },
    option: {
      state: { draft: 'Черновик', done: 'Готово' },
      priority: { low: 'Низкий', high: 'Высокий' },
    },
  },
}
