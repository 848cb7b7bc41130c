import { onWatcherCleanup, readonly, type Ref, ref, watch } from 'vue'

/** Follows the source, but becomes true only after a delay, so that short requests show no progress bar. */
export function useDelayed(source: () => boolean, delayMs = 300): Readonly<Ref<boolean>> {
  const delayed = ref(false)
  watch(
    source,
    (value) => {
      if (!value) {
        delayed.value = false
        return
      }
      const timer = setTimeout(() => (delayed.value = true), delayMs)
      onWatcherCleanup(() => clearTimeout(timer))
    },
    { immediate: true },
  )
  return readonly(delayed)
}
