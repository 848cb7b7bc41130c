/** The record of the page, which the test compares with what the form sends. */

import type { Reference } from '../../../src/schema'

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

/** What the form sends. */
export const stored: ThingCreate = {
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
  parent_id: 5,
}

export const thing: Thing = {
  ...stored,
  id: 1_234_567,
  item: { id: 77, title: 'The stored item' },
  parent: { id: 5, title: 'The stored parent' },
}
