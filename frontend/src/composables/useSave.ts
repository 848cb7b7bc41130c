import { useQueryClient } from '@tanstack/vue-query'
import { onScopeDispose } from 'vue'
import { useRouter } from 'vue-router'
import { useNotifications } from '@/store/notifications'

/**
 * What saving and deleting a record share.
 *
 * A form names the list at `path` that it was opened from, and leaves for it. A list stays where it is.
 */
export function useSave(path?: string) {
  const router = useRouter()
  const queryClient = useQueryClient()
  const { notify } = useNotifications()
  let isLeft = false
  onScopeDispose(() => (isLeft = true))

  /** Goes back to the list, with its page and search, or opens it. */
  async function leave(): Promise<void> {
    // A slow save must not call users back from where they went meanwhile.
    if (isLeft || !path) return
    const { back } = router.options.history.state
    if (typeof back === 'string' && back.split('?')[0] === path) router.back()
    else await router.push(path)
  }

  async function save(request: Promise<unknown>, notification: string): Promise<void> {
    await request
    // All queries: other views may show the record too, and deleting a user deletes more than the user.
    await queryClient.invalidateQueries()
    notify(notification)
    await leave()
  }

  return { save, leave }
}
