import { onKeyStroke } from '@vueuse/core'
import type { Ref } from 'vue'
import { useConnection } from '@/store/connection'

/**
 * Closes a dialog or a menu when Escape is pressed, unless it is busy.
 *
 * Vuetify's own handler closes only the topmost overlay. Vuetify determines the topmost overlay in a timer,
 * which may run after the key press. It also treats a notification as the topmost overlay.
 */
export function useEscape(isOpen: Ref<boolean>, isBusy: () => boolean = () => false): void {
  const connection = useConnection()
  onKeyStroke('Escape', () => {
    // Do not close a dialog or menu behind the “server can't be reached” dialog.
    if (!isBusy() && !connection.isLost) isOpen.value = false
  })
}
