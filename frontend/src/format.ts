/** Formats the values of list cells in the current language. */

import { i18n } from '@/plugins/i18n'
import { type Limits, limitsOf, type ObjectSchema, type Reference } from '@/schema'

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

/** Whether a value stays on one line, because part of it would be misleading. */
export function isUnbreakable(schema: ObjectSchema, column: string): boolean {
  const kind = limitsOfColumn(schema, column)?.kind
  return isId(column) || isNumeric(schema, column) || kind === 'date' || kind === 'datetime'
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
