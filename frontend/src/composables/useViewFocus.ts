import { nextTick, onScopeDispose } from 'vue'
import { START_LOCATION, useRouter } from 'vue-router'

/**
 * Moves the focus to the heading after a navigation, so that screen readers read it and Tab continues in the
 * new view. While the heading is loading, it moves to the content. A field with autofocus keeps the focus.
 */
export function useViewFocus(content: () => HTMLElement | undefined): void {
  const stop = useRouter().afterEach(async (to, from, failure) => {
    if (failure || from === START_LOCATION || to.path === from.path) return
    await nextTick()
    const element = content()
    if (!element || element.contains(document.activeElement)) return
    ;(element.querySelector('h1') ?? element).focus({ preventScroll: true })
  })
  onScopeDispose(stop)
}
