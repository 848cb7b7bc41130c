import { onKeyStroke } from '@vueuse/core'
import type { Ref } from 'vue'

/**
 * Closes a dialog or a menu when Escape is pressed, unless it is busy.
 *
 * Vuetify's own handler closes only the topmost overlay. Vuetify determines the topmost overlay in a timer,
 * which may run after the key press. It also treats a notification as the topmost overlay.
 */
export function useEscape(isOpen: Ref<boolean>, isBusy: () => boolean = () => false): void {
  onKeyStroke('Escape', () => {
    if (!isBusy()) isOpen.value = false
  })
}
