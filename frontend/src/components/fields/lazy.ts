export { default as SwitchField } from './SwitchField.vue'
export { default as ParsedField } from './ParsedField.vue'
export { default as SelectField } from './SelectField.vue'
