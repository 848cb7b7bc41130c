/** Fields that are loaded when a form uses them: most visits begin at the login form, which has only texts. */

import { type Component, defineAsyncComponent } from 'vue'
import { useConnection } from '@/store/connection'
import LoadError from './LoadError.vue'

const lazyField = <T extends Component>(loader: () => Promise<{ default: T }>) =>
  defineAsyncComponent<T>({
    loader: () => loader().then((module) => module.default),
    // Waits while the server is unreachable. Then only a reload helps: browsers do not import a failed script again.
    onError: (_, retry, fail) => void useConnection().check().then(fail),
    errorComponent: LoadError,
  })

export const CheckboxField = lazyField(() => import('./CheckboxField.vue'))
export const ParsedField = lazyField(() => import('./ParsedField.vue'))
export const SelectField = lazyField(() => import('./SelectField.vue'))
