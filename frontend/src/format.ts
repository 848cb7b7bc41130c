/** Formats values in the current language. */

import { i18n } from '@/plugins/i18n'
import { type Kind, type Limits, limitsOf, type ObjectSchema, type Reference } from '@/schema'

type Formatter = (value: unknown) => string

/** Ids are names, not quantities: they are neither grouped nor aligned as numbers. */
const isId = (column: string): boolean => column === 'id' || column.endsWith('_id')

function limitsOfColumn(schema: ObjectSchema, column: string): Limits | undefined {
  return column in schema.properties && !isId(column) ? limitsOf(schema, column) : undefined
}

export function isNumeric(schema: ObjectSchema, column: string): boolean {
  const kind = limitsOfColumn(schema, column)?.kind
  return kind === 'integer' || kind === 'decimal'
}

export function isTime(schema: ObjectSchema, column: string): boolean {
  const kind = limitsOfColumn(schema, column)?.kind
  return kind === 'date' || kind === 'datetime'
}

const WIDTHS: Partial<Record<Kind, number>> = {
  integer: 120,
  decimal: 140,
  checkbox: 120,
  date: 132,
  datetime: 184,
  select: 140,
  reference: 176,
}

/** Returns the width of a column in pixels. Texts have none: they share what the other columns leave. */
export function widthOf(schema: ObjectSchema, column: string): number | undefined {
  if (column === 'created_at' || column === 'updated_at') return 124 // Relative to now.
  return isId(column) ? 100 : WIDTHS[limitsOfColumn(schema, column)?.kind ?? 'text']
}

function decimalFormatter(locale: string, { decimalPlaces = 0 }: Limits): Formatter {
  return (value) => {
    const [, fraction = ''] = String(value).split('.')
    const places = Math.max(decimalPlaces, fraction.length)
    const options = { minimumFractionDigits: places, maximumFractionDigits: places }
    return new Intl.NumberFormat(locale, options).format(value as Intl.StringNumericLiteral)
  }
}

function dateFormatter(locale: string, options: Intl.DateTimeFormatOptions): Formatter {
  const format = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', ...options })
  return (value) => {
    const date = new Date(String(value))
    return Number.isNaN(date.getTime()) ? String(value) : format.format(date)
  }
}

function formatterOfKind(column: string, limits: Limits | undefined): Formatter {
  const { global } = i18n
  const { t, locale } = global
  switch (limits?.kind) {
    case 'integer': {
      const format = new Intl.NumberFormat(locale.value)
      return (value) => format.format(value as number)
    }
    case 'decimal':
      return decimalFormatter(locale.value, limits)
    case 'date':
      // A date without a time is midnight in UTC. In zones west of it, that is the day before.
      return dateFormatter(locale.value, { timeZone: 'UTC' })
    case 'datetime':
      return dateFormatter(locale.value, { timeStyle: 'short' })
    case 'select':
      return (value) =>
        global.te(`option.${column}.${value as string}`)
          ? t(`option.${column}.${value as string}`)
          : String(value)
    case 'reference':
      return (value) => (value as Reference).title
    default:
      return String
  }
}

/** Returns a function that formats the values of a column. */
export function formatterOf(schema: ObjectSchema, column: string): Formatter {
  const format = formatterOfKind(column, limitsOfColumn(schema, column))
  return (value) => (value === null || value === undefined ? '' : format(value))
}

type Patterns = [name: string, pattern: RegExp][]

// The first match counts: browsers also claim to be the browsers and systems that they descend from.
const BROWSERS: Patterns = [
  ['Edge', /Edg(e|A|iOS)?\//],
  ['Opera', /(OPR|OPT|Opera)\//],
  ['Yandex Browser', /YaBrowser\//],
  ['Samsung Internet', /SamsungBrowser\//],
  ['Firefox', /(Firefox|FxiOS)\//],
  ['Chrome', /(Chrome|CriOS)\//],
  ['Safari', /Version\/.* Safari\//],
]
const SYSTEMS: Patterns = [
  ['iPhone', /iPhone/],
  ['iPad', /iPad/],
  ['Android', /Android/],
  ['Windows', /Windows/],
  ['macOS', /Macintosh/],
  ['ChromeOS', /CrOS/],
  ['Linux', /Linux/],
]

/** Names the device of a user agent, such as “Chrome on Linux”. Returns an unknown user agent as it is. */
export function deviceOf(userAgent: string): string {
  const { t } = i18n.global
  const nameIn = (patterns: Patterns) =>
    patterns.find(([, pattern]) => pattern.test(userAgent))?.[0]
  const [browser, system] = [nameIn(BROWSERS), nameIn(SYSTEMS)]
  if (browser && system) return t('session.device', { browser, system })
  return userAgent || t('session.unknownDevice')
}
