/** Converts between the values of the API and the texts that the user types. */

/** The kinds whose text is not the value. */
export type ParsedKind = 'integer' | 'decimal' | 'date' | 'datetime'
export type ParsedValue = string | number

/** Returns a number as digits without grouping and without an exponent. */
const plainNumber = (value: ParsedValue): string =>
  new Intl.NumberFormat('en', { useGrouping: false, maximumFractionDigits: 20 }).format(
    value as Intl.StringNumericLiteral,
  )

function separators(locale: string): { decimal: string; group: string } {
  const parts = new Intl.NumberFormat(locale).formatToParts(12345.6)
  const find = (type: string) => parts.find((part) => part.type === type)?.value ?? ''
  return { decimal: find('decimal'), group: find('group') }
}

/** Replaces a typographic minus, and removes spaces between groups of three digits. */
const clean = (text: string): string =>
  text
    .trim()
    .replace('\u2212', '-')
    .replace(/(?<=\d)\s(?=\d{3}(?!\d))/g, '')

function parseInteger(text: string): number | undefined {
  // The sum turns -0 into 0.
  return /^[+-]?\d+$/.test(clean(text)) ? Number(clean(text)) + 0 : undefined
}

function parseDecimal(text: string, locale: string): string | undefined {
  const { decimal, group } = separators(locale)
  const typed = clean(text)
  // Numeric keypads type a point. Accept it unless the locale groups digits with it.
  if (group === '.' && typed.includes('.')) return undefined
  const match = /^([+-]?)0*(\d*)(\.(\d*))?$/.exec(typed.replace(decimal, '.'))
  if (!match || !/\d/.test(typed)) return undefined
  const [, sign, whole, , fraction] = match
  const digits = (whole || '0') + (fraction ? `.${fraction}` : '')
  return sign === '-' && /[1-9]/.test(digits) ? `-${digits}` : digits
}

function parseDate(text: string): string | undefined {
  const date = new Date(text)
  const isDate = /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(date.getTime())
  // A day such as February 31 would become a day in March.
  return isDate && date.toISOString().startsWith(text) ? text : undefined
}

/** Formats a date for the input type datetime-local, in the browser's time zone. */
function localText(date: Date): string {
  const pad = (part: number, length = 2) => String(part).padStart(length, '0')
  const day = [pad(date.getFullYear(), 4), pad(date.getMonth() + 1), pad(date.getDate())]
  const time = [pad(date.getHours()), pad(date.getMinutes())]
  if (date.getSeconds()) time.push(pad(date.getSeconds()))
  return `${day.join('-')}T${time.join(':')}`
}

function parseDatetime(text: string): string | undefined {
  // Without a zone, Date uses the browser's.
  const date = new Date(text)
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text) || Number.isNaN(date.getTime())) return undefined
  // Date moves a time that the clocks skip in spring.
  if (!localText(date).startsWith(text.slice(0, 16))) return undefined
  const utc = date.toISOString().replace('.000Z', 'Z')
  // Date writes years outside 0 to 9999 with a sign. The API's years begin with 1.
  return /^\d{4}-/.test(utc) && !utc.startsWith('0000') ? utc : undefined
}

const PARSERS: Record<ParsedKind, (text: string, locale: string) => ParsedValue | undefined> = {
  integer: parseInteger,
  decimal: parseDecimal,
  date: parseDate,
  datetime: parseDatetime,
}

/** Returns the value that a text means, or undefined if the text is empty or invalid. */
export const parse = (kind: ParsedKind, text: string, locale: string): ParsedValue | undefined =>
  PARSERS[kind](text, locale)

/** Returns the text that a field shows for a value. */
export function toText(
  kind: ParsedKind,
  value: ParsedValue | null | undefined,
  locale: string,
): string {
  if (value === null || value === undefined) return ''
  if (kind === 'datetime') return localText(new Date(value))
  if (kind !== 'decimal') return String(value)
  return String(value).replace('.', separators(locale).decimal)
}

/** Returns -1, 0 or 1. Compares exactly, unlike JavaScript's numbers. */
export function compareDecimals(...values: [ParsedValue, ParsedValue]): number {
  const parts = values.map((value) => {
    const [whole = '', fraction = ''] = (
      typeof value === 'number' ? plainNumber(value) : value
    ).split('.')
    return { whole, fraction }
  })
  const places = Math.max(...parts.map(({ fraction }) => fraction.length))
  const [a, b] = parts.map(({ whole, fraction }) => BigInt(whole + fraction.padEnd(places, '0')))
  return a! < b! ? -1 : Number(a! > b!)
}
