import { onKeyStroke } from '@vueuse/core'
import type { Ref } from 'vue'
import { useConnection } from '@/store/connection'

/**
 * Closes a dialog or a menu on Escape, unless it is busy.
 *
 * Vuetify's handler closes only the topmost overlay. It updates that with a timer, which may be too late for the
 * key, and also counts notifications.
 */
export function useEscape(isOpen: Ref<boolean>, isBusy: () => boolean = () => false): void {
  const connection = useConnection()
  onKeyStroke('Escape', () => {
    // Keep what is behind the message that the server is unreachable.
    if (!isBusy() && !connection.isLost) isOpen.value = false
  })
}
