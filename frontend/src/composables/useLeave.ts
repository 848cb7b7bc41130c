import { onScopeDispose } from 'vue'
import { useRouter } from 'vue-router'

/** Leaves a form for the page above it, which is as it was left when the form was opened from there. */
export function useLeave(path: string): () => Promise<unknown> {
  const router = useRouter()
  let isLeft = false
  onScopeDispose(() => (isLeft = true))

  return async () => {
    // A slow save must not call the user back from where they went meanwhile.
    if (isLeft) return
    const { back } = router.options.history.state
    if (typeof back === 'string' && back.split('?')[0] === path) router.back()
    else await router.push(path)
  }
}
