import type { Client } from '../../src/client/client'

/**
 * The resource that the tests of forms, lists and the dashboard use: one with a title and a description.
 *
 * A project that has removed Item names another one here. The texts in the tests, such as “Create item”, follow.
 */
const URL = '/api/v1/items/'

interface Row {
  id: number
  title: string
  description: string | null
}

const options = { security: [{ scheme: 'bearer', type: 'http' }], throwOnError: true } as const

export async function createRow(client: Client, fields: Partial<Row> = {}): Promise<Row> {
  const body = { title: 'Title', ...fields }
  return (await client.post({ ...options, url: URL, body })).data as Row
}

export async function readRow(client: Client, id: number): Promise<Row> {
  return (await client.get({ ...options, url: `${URL}${id}` })).data as Row
}

export async function readRows(client: Client): Promise<Row[]> {
  return (await client.get({ ...options, url: URL })).data as Row[]
}

export async function updateRow(client: Client, id: number, fields: Partial<Row>): Promise<void> {
  await client.put({ ...options, url: `${URL}${id}`, body: fields })
}
