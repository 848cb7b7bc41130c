/** Reads the types and limits of fields from the API's schemas. */

/** How a property is entered and shown. A reference is the object `{ id, title }` of another row. */
export type Kind =
  'text' | 'integer' | 'decimal' | 'checkbox' | 'date' | 'datetime' | 'select' | 'reference'

/** The value of a form field. A decimal is a string, because JavaScript's numbers would round it. */
export type FieldValue = string | number | boolean | null | undefined

/** A row that another row refers to. */
export interface Reference {
  id: number
  title: string
}

export interface ObjectSchema {
  properties: Record<string, object>
  required?: readonly string[]
}

interface Property {
  type?: string
  format?: string
  minLength?: number
  maxLength?: number
  pattern?: string
  minimum?: number | string
  maximum?: number | string
  maxDigits?: number
  decimalPlaces?: number
  enum?: readonly string[]
  $ref?: string
  anyOf?: readonly Property[]
}

export interface Limits extends Omit<Property, 'type' | 'format' | 'anyOf' | '$ref'> {
  kind: Kind
  isEmail: boolean
  isNullable: boolean
}

function kindOf({ type, format, $ref, enum: options }: Property): Kind {
  if ($ref) return 'reference'
  if (options) return 'select'
  if (type === 'boolean') return 'checkbox'
  if (type === 'integer') return 'integer'
  if (format === 'decimal' || format === 'date') return format
  return format === 'date-time' ? 'datetime' : 'text'
}

export function limitsOf(schema: ObjectSchema, name: string): Limits {
  const property = schema.properties[name] as Property | undefined
  if (!property) throw new Error(`the schema has no property ${name}`)
  const { anyOf = [property], ...outer } = property
  const value = { ...outer, ...anyOf.find(({ type }) => type !== 'null') }
  return {
    ...value,
    kind: kindOf(value),
    isEmail: value.format === 'email',
    isNullable: anyOf.some(({ type }) => type === 'null'),
  }
}
