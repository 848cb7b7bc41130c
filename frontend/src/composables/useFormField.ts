import { computed, inject, onBeforeUnmount, onMounted, ref, useId, watch } from 'vue'
import { useI18n } from 'vue-i18n'
import { problemText } from '@/api'
import { formKey } from '@/components/FormCard.vue'
import { type Rule, rulesOf } from '@/rules'
import { type FieldValue, type Limits, limitsOf } from '@/schema'

export interface FieldOptions {
  /** The name of the property in the form's schema. The label is the text `field.<name>`. */
  name: string
  hint?: string
  /** Do not send the field if it is empty. */
  optional?: boolean
  /** Whether the field is required here, although the schema does not require it. */
  required?: boolean
  /** Rules in addition to those of the schema. They check the value, not the text that the user typed. */
  rules?: Rule[]
}

/** A field that is not in the schema, such as a repeated password, is a text without limits. */
const NO_LIMITS: Limits = { kind: 'text', isEmail: false, isNullable: false }

/**
 * Connects a field to its form: label, limits, rules, and the API's errors.
 *
 * `input` is what the user entered. It differs from the value if an invalid text has no value.
 */
export function useFormField(
  options: FieldOptions,
  value: () => FieldValue,
  input: () => FieldValue = value,
) {
  const { t } = useI18n()
  const form = inject(formKey)!
  const id = useId()
  const hasAutofocus = form.hasAutofocus && form.fields.size === 0
  // A field that is still loading gets the focus by its own attribute.
  if (hasAutofocus) onMounted(() => document.getElementById(id)?.focus())
  form.fields.set(options.name, { value: input, initial: input() })
  onBeforeUnmount(() => form.fields.delete(options.name))

  /** Whether the value has changed since the API rejected it. */
  const isChanged = ref(false)
  watch(value, () => (isChanged.value = true))
  watch(form.problems, () => (isChanged.value = false))

  const isInSchema = computed(() => options.name in form.schema.properties)
  const limits = computed(() =>
    isInSchema.value ? limitsOf(form.schema, options.name) : NO_LIMITS,
  )
  const isRequired = computed(() => {
    const { kind, isNullable } = limits.value
    const isInBody = isInSchema.value && kind !== 'checkbox' && !isNullable && !options.optional
    return options.required || isInBody
  })
  const rules = computed((): Rule[] => [
    ...(options.required ? [(value: FieldValue) => !!value || t('problem.missing')] : []),
    ...(isInSchema.value ? rulesOf(form.schema, options.name, options) : []),
    ...(options.rules ?? []).map((rule) => () => rule(value())),
  ])
  /** The value of the empty field. */
  const empty = computed(() => {
    if (limits.value.isNullable) return null
    if (options.optional) return undefined
    return limits.value.kind === 'text' ? '' : null
  })
  /** Shown below the field until there is an error. */
  const hint = computed(() => {
    const { minLength = 0 } = limits.value
    if (options.hint || minLength < 2) return options.hint
    return problemText({ type: 'string_too_short', limits: { min_length: minLength } })
  })
  const attributes = computed(() => ({
    id,
    hint: hint.value,
    persistentHint: !!hint.value,
    rules: rules.value,
    errorMessages: isChanged.value ? undefined : form.problems.value[options.name],
    autofocus: hasAutofocus && limits.value.kind !== 'text' ? true : undefined,
    'aria-required': isRequired.value || undefined,
  }))
  /** The properties of FieldLabel. */
  const label = computed(() => ({
    id,
    label: t(`field.${options.name}`),
    required: isRequired.value,
  }))
  return { attributes, label, limits, empty }
}
