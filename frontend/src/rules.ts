/** Validation rules for form fields, derived from the API's schemas. */

import { problemText } from '@/api'
import { i18n } from '@/plugins/i18n'
import { type FieldValue, type Limits, limitsOf, type ObjectSchema } from '@/schema'
import { compareDecimals, parse } from '@/values'

export type Rule = (value: FieldValue) => true | string

/** Checks a text that is not empty. */
type Check = (text: string) => true | string

const problem = (type: string, limits: Record<string, unknown> = {}): string =>
  problemText({ type, limits })

// An approximate check. Only the API knows which domains can receive email.
const EMAIL = /^[\x21-\x7e]+@[^\s@]+\.[^\s@]+$/

// Counts code points, as the API does: an emoji is one character.
const lengthOf = (text: string): number => Array.from(text).length

const textChecks = ({
  minLength = 0,
  maxLength = Infinity,
  pattern = '',
  isEmail,
}: Limits): Check[] => [
  (text) => lengthOf(text) >= minLength || problem('string_too_short', { min_length: minLength }),
  (text) => lengthOf(text) <= maxLength || problem('string_too_long', { max_length: maxLength }),
  (text) => !isEmail || EMAIL.test(text.trim()) || problem('email_invalid'),
  (text) => new RegExp(pattern).test(text) || problem(text.trim() ? 'invalid' : 'string_blank'),
]

function integerCheck(text: string, limits: Limits): true | string {
  const { minimum = Number.MIN_SAFE_INTEGER, maximum = Number.MAX_SAFE_INTEGER } = limits
  const value = parse('integer', text, 'en')
  if (value === undefined) return problem('int_parsing')
  if (value < minimum) return problem('greater_than_equal', { ge: minimum })
  return value <= maximum || problem('less_than_equal', { le: maximum })
}

/** Checks in the order of the API, and ignores the same zeros. */
function decimalCheck(text: string, limits: Limits): true | string {
  const { minimum, maximum, maxDigits = Infinity, decimalPlaces = Infinity } = limits
  const value = parse('decimal', text, i18n.global.locale.value)
  if (value === undefined) return problem('decimal_parsing')
  const [whole = '', fraction = ''] = String(value).replace('-', '').split('.')
  const wholeDigits = whole === '0' ? 0 : whole.length
  const places = fraction.replace(/0+$/, '').length
  if (wholeDigits + places > maxDigits) {
    return problem('decimal_max_digits', { max_digits: maxDigits })
  }
  if (places > decimalPlaces) {
    return problem('decimal_max_places', { decimal_places: decimalPlaces })
  }
  if (wholeDigits > maxDigits - decimalPlaces) {
    return problem('decimal_whole_digits', { whole_digits: maxDigits - decimalPlaces })
  }
  if (minimum !== undefined && compareDecimals(value, minimum) < 0) {
    return problem('greater_than_equal', { ge: minimum })
  }
  if (maximum !== undefined && compareDecimals(value, maximum) > 0) {
    return problem('less_than_equal', { le: maximum })
  }
  return true
}

function checksOf(limits: Limits): Check[] {
  switch (limits.kind) {
    case 'text':
      return textChecks(limits)
    case 'integer':
      return [(text) => integerCheck(text, limits)]
    case 'decimal':
      return [(text) => decimalCheck(text, limits)]
    case 'date':
      return [(text) => !!parse('date', text, 'en') || problem('date_from_datetime_parsing')]
    case 'datetime':
      return [(text) => !!parse('datetime', text, 'en') || problem('datetime_from_date_parsing')]
    case 'select':
      return [(text) => !!limits.enum?.includes(text) || problem('enum')]
    default:
      return []
  }
}

/** Returns rules for what the field contains: for numbers and dates, the text that the user typed. */
export function rulesOf(schema: ObjectSchema, name: string, { optional = false } = {}): Rule[] {
  const limits = limitsOf(schema, name)
  // Spaces are a text, but not a number.
  const textOf = (value: FieldValue) =>
    limits.kind === 'text' ? String(value ?? '') : String(value ?? '').trim()
  return [
    (value) => !!textOf(value) || optional || limits.isNullable || problem('missing'),
    ...checksOf(limits).map(
      (check): Rule =>
        (value) =>
          !textOf(value) || check(textOf(value)),
    ),
  ]
}
