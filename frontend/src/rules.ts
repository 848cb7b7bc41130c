/** Validation rules for form fields, derived from the API's schemas. */

import { i18n } from '@/plugins/i18n'

export type Rule = (value: string | null | undefined) => true | string

interface Property {
  minLength?: number
  maxLength?: number
  format?: string
  anyOf?: readonly (Property & { type?: string })[]
}

export interface ObjectSchema {
  properties: Record<string, object>
}

interface Limits {
  minLength: number
  maxLength: number
  isEmail: boolean
  isNullable: boolean
}

export function limitsOf(schema: ObjectSchema, name: string): Limits {
  const property = schema.properties[name] as (Property & { type?: string }) | undefined
  if (!property) throw new Error(`the schema has no property ${name}`)
  const options = property.anyOf ?? [property]
  const text = options.find(({ type }) => type === 'string') ?? {}
  return {
    minLength: text.minLength ?? 0,
    maxLength: text.maxLength ?? Infinity,
    isEmail: text.format === 'email',
    isNullable: options.some(({ type }) => type === 'null'),
  }
}

// An approximate check. Only the API knows which domains can receive email.
const EMAIL = /^[\x21-\x7e]+@[^\s@]+\.[^\s@]+$/

export function rulesOf(schema: ObjectSchema, name: string, { optional = false } = {}): Rule[] {
  const { t } = i18n.global
  const { minLength, maxLength, isEmail, isNullable } = limitsOf(schema, name)
  // Counts code points, as the API does: an emoji is one character.
  const length = (value: string) => Array.from(value).length
  return [
    (value) => !!value || optional || isNullable || t('problem.missing'),
    (value) =>
      !value ||
      length(value) >= minLength ||
      t('problem.string_too_short', { min_length: minLength }, minLength),
    (value) =>
      !value ||
      length(value) <= maxLength ||
      t('problem.string_too_long', { max_length: maxLength }, maxLength),
    (value) => !value || !isEmail || EMAIL.test(value.trim()) || t('problem.email_invalid'),
    (value) => !value?.includes('\0') || t('problem.invalid'),
  ]
}
