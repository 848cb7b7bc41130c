import { nextTick, watch } from 'vue'

/** Restores the focus after a dialog closes, so that keyboard users resume where they were. */
export function useFocusReturn(isOpen: () => boolean): void {
  let before: Element | null = null
  watch(isOpen, async (open) => {
    if (open) {
      before = document.activeElement
      // The menu closes as well. The button that opened it stays.
      const menu = before?.closest('.v-menu')
      if (menu) before = document.querySelector(`[aria-owns="${menu.id}"]`)
    } else {
      await nextTick()
      if (before instanceof HTMLElement) before.focus()
    }
  })
}
