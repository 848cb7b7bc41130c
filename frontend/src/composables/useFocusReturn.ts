import { nextTick, watch } from 'vue'

/** Gives the focus back to what had it before a dialog: who uses the keyboard goes on from there. */
export function useFocusReturn(isOpen: () => boolean): void {
  let before: Element | null = null
  watch(isOpen, async (open) => {
    if (open) {
      before = document.activeElement
    } else {
      await nextTick()
      if (before instanceof HTMLElement) before.focus()
    }
  })
}
