import { type ItemCreate, itemsCreateItem } from '../../../src/client'
import type { Client } from '../../../src/client/client'

/** Creates an item through the API. */
export async function createItem(client: Client, fields: Partial<ItemCreate> = {}) {
  const body: ItemCreate = {
    title: 'Title',
    ...fields,
  }
  const { data } = await itemsCreateItem({ client, body })
  return data
}
