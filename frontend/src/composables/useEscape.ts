import { onKeyStroke } from '@vueuse/core'
import type { Ref } from 'vue'
import { useConnection } from '@/store/connection'

/**
 * Closes a dialog or a menu when Escape is pressed, unless it is busy.
 *
 * Vuetify's own handler only closes the topmost overlay. A timer updates which one that is, and may run after
 * the key press. Vuetify also treats a notification as the topmost overlay.
 */
export function useEscape(isOpen: Ref<boolean>, isBusy: () => boolean = () => false): void {
  const connection = useConnection()
  onKeyStroke('Escape', () => {
    // Do not close what is behind the “server can't be reached” dialog.
    if (!isBusy() && !connection.isLost) isOpen.value = false
  })
}
