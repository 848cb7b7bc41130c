import { onWatcherCleanup, readonly, type Ref, ref, watch } from 'vue'

/** True after the source has been true for this time, so that short operations show no progress. */
export function useDelayed(source: () => boolean, milliseconds = 300): Readonly<Ref<boolean>> {
  const delayed = ref(false)
  watch(
    source,
    (value) => {
      if (!value) {
        delayed.value = false
        return
      }
      const timer = setTimeout(() => (delayed.value = true), milliseconds)
      onWatcherCleanup(() => clearTimeout(timer))
    },
    { immediate: true },
  )
  return readonly(delayed)
}
