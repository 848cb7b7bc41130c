export { default as CheckboxField } from './CheckboxField.vue'
export { default as ParsedField } from './ParsedField.vue'
export { default as SelectField } from './SelectField.vue'
