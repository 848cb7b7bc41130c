/** Fields that are loaded when a form uses them: most visits begin at the login form, which has only texts. */

import { type Component, defineAsyncComponent } from 'vue'
import { useConnection } from '@/store/connection'
import LoadError from './LoadError.vue'

// One script for all of them, because a form often has several kinds.
const load = () => import('./lazy')
type Fields = Awaited<ReturnType<typeof load>>

const lazyField = <T extends Component>(pick: (fields: Fields) => T) =>
  defineAsyncComponent<T>({
    loader: () => load().then(pick),
    // Waits while the server is unreachable. Then only a reload helps: browsers do not import a failed script again.
    onError: (_, retry, fail) => void useConnection().check().then(fail),
    errorComponent: LoadError,
  })

export const SwitchField = lazyField((fields) => fields.SwitchField)
export const ParsedField = lazyField((fields) => fields.ParsedField)
export const SelectField = lazyField((fields) => fields.SelectField)
