/** Fields that are loaded when a form uses them: most visits begin at the login form, which has only texts. */

import { type Component, defineAsyncComponent } from 'vue'
import { useConnection } from '@/store/connection'

const ATTEMPTS = 3

const lazyField = <T extends Component>(loader: () => Promise<{ default: T }>) =>
  defineAsyncComponent<T>({
    loader: () => loader().then((module) => module.default),
    onError: async (_, retry, fail, attempts) => {
      // Waits while the server is unreachable.
      await useConnection().check()
      if (attempts < ATTEMPTS) retry()
      else fail()
    },
  })

export const CheckboxField = lazyField(() => import('./CheckboxField.vue'))
export const ParsedField = lazyField(() => import('./ParsedField.vue'))
export const SelectField = lazyField(() => import('./SelectField.vue'))
