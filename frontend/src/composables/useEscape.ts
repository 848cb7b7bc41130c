import { onKeyStroke } from '@vueuse/core'
import type { Ref } from 'vue'
import { useConnection } from '@/store/connection'

/**
 * Closes a dialog or a menu on Escape, unless it is busy.
 *
 * Vuetify's own handler only closes what it knows to be on top. It learns that from a timer, which may run after
 * the key was pressed, and it counts notifications as being on top too.
 */
export function useEscape(isOpen: Ref<boolean>, isBusy: () => boolean = () => false): void {
  const connection = useConnection()
  onKeyStroke('Escape', () => {
    // What is behind "The server can't be reached" stays as it is.
    if (!isBusy() && !connection.isLost) isOpen.value = false
  })
}
