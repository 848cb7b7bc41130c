import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import openapi from '../../openapi.json'

type Messages = { [key: string]: string | Messages }

function flatten(messages: Messages, prefix = ''): Record<string, string> {
  return Object.fromEntries(
    Object.entries(messages).flatMap(([key, value]) =>
      typeof value === 'string'
        ? [[prefix + key, value]]
        : Object.entries(flatten(value, `${prefix}${key}.`)),
    ),
  )
}

// Remove duplicates, because languages have different numbers of plural forms.
const placeholders = (text: string) => [...new Set(text.match(/{\w+}/g))].sort()

// Read the file, because an import would return compiled messages.
function readTexts(locale: string): Record<string, string> {
  return flatten(JSON.parse(readFileSync(`src/locales/${locale}.json`, 'utf8')) as Messages)
}

function sources(): string {
  return readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(vue|ts)$/.test(file) && !file.startsWith('client'))
    .map((file) => readFileSync(join('src', file), 'utf8'))
    .join('\n')
}

test('all locales have the same keys and placeholders', () => {
  const [english, russian] = [readTexts('en'), readTexts('ru')]
  expect(Object.keys(russian)).toEqual(Object.keys(english))
  for (const [key, text] of Object.entries(english)) {
    expect(placeholders(russian[key]!), key).toEqual(placeholders(text))
  }
})

test('every error code of the API has a text, and no other text is under error', () => {
  const schemas: { properties?: { code?: { const?: string } } }[] = Object.values(
    openapi.components.schemas as object,
  )
  const codes = new Set(schemas.flatMap(({ properties }) => properties?.code?.const ?? []))
  // Of resources and of imports. A project may have none.
  for (const code of ['still_referenced', 'unsupported_media_type']) codes.add(code)
  const texts = Object.keys(readTexts('en')).filter((key) => key.startsWith('error.'))
  expect(texts).toEqual([...codes].map((code) => `error.${code}`).sort())
})

test('every event of the audit log, every language and every state of a job has a text', () => {
  const { Audit, Job, User } = openapi.components.schemas
  const options = [
    ...Audit.properties.event.enum.map((event) => `option.event.${event}`),
    ...User.properties.language.enum.map((language) => `option.language.${language}`),
    ...Job.properties.state.enum.map((state) => `option.state.${state}`),
  ]
  expect(Object.keys(readTexts('en'))).toEqual(expect.arrayContaining(options))
})

/** The texts of the views that create and edit a record, which a read-only list lacks. */
const FORM_TEXTS = ['create', 'created', 'edit', 'saved']

test('every key is used, and every used key exists', () => {
  const source = sources()
  const inSource = source.match(/(?<=t\(\s*'|[tT]itle: ')[\w]+\.[\w]+/g) ?? []
  // Prefixes of computed keys, such as t(`field.${name}`).
  const prefixes = (source.match(/(?<=t\(`)\w+\.(?=\$)/g) ?? []) as string[]
  // Each ListTable has the texts t(`${name}.all`) and so on, and each RecordForm others.
  const lists = [...source.matchAll(/<ListTable\s+name="(\w+)"([^>]*)/g)]
  const ofLists = lists.flatMap(([, name, attributes]) =>
    (source.match(/(?<=t\(`\$\{name\}\.)\w+/g) ?? [])
      .filter((key) => !FORM_TEXTS.includes(key) || /\spath=/.test(attributes!))
      .map((key) => `${name}.${key}`),
  )
  // A deletion that can be undone.
  const ofDeletions = lists.map(([, name]) => `${name}.deleted`)
  const keys = Object.keys(readTexts('en'))
  const named = [...inSource, ...ofLists]
  expect(named.filter((key) => !keys.includes(key))).toEqual([])
  expect(
    keys.filter(
      (key) =>
        !source.includes(`'${key}'`) &&
        ![...ofLists, ...ofDeletions].includes(key) &&
        !prefixes.some((prefix) => key.startsWith(prefix)),
    ),
  ).toEqual([])
})
