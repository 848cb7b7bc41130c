import { useQueryClient } from '@tanstack/vue-query'
import { onScopeDispose } from 'vue'
import { useRouter } from 'vue-router'
import { useNotifications } from '@/store/notifications'

/**
 * Saves or deletes a record, refreshes all data and notifies the user.
 *
 * A form passes the path of its list, and returns to the list afterwards. A list passes no path.
 */
export function useSave(path?: string) {
  const router = useRouter()
  const queryClient = useQueryClient()
  const { notify } = useNotifications()
  let isLeft = false
  onScopeDispose(() => (isLeft = true))

  /** Returns to the list with its page and search, or opens the list. */
  async function leave(): Promise<void> {
    // After a slow save, do not move users who have opened another view.
    if (isLeft || !path) return
    const { back } = router.options.history.state
    if (typeof back === 'string' && back.split('?')[0] === path) router.back()
    else await router.push(path)
  }

  async function save(request: Promise<unknown>, notification: string): Promise<void> {
    await request
    // All queries, because other views may show the record, and deleting a user also deletes items.
    await queryClient.invalidateQueries()
    notify(notification)
    await leave()
  }

  return { save, leave }
}
