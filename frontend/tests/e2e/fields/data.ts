import { reactive } from 'vue'
import { ApiError } from '@/api'

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
const thing = { all: 'Things', create: 'Create', empty: 'Empty', search: 'Search', subtitle: 'All' }
export const texts = {
  en: {
    thing,
    field: { ...fields, item: 'Field item', parent: 'Field parent' },
    option: {
      state: { draft: 'Draft', done: 'Done' },
      priority: { low: 'Low', high: 'High' },
    },
  },
  ru: {
    thing,
    field: { ...fields, item: 'Field item', parent: 'Field parent' },
    option: {
      state: { draft: 'Черновик', done: 'Готово' },
      priority: { low: 'Низкий', high: 'Высокий' },
    },
  },
}
