import { useQueryClient } from '@tanstack/vue-query'
import { onScopeDispose } from 'vue'
import { useRouter } from 'vue-router'
import { type NotificationOptions, useNotifications } from '@/store/notifications'
import { token } from '@/token'
import { forgetInput } from '@/unsavedInput'

/**
 * Saves or deletes a record, then notifies the user and returns to the list.
 *
 * A form passes the `path` of its list. A list passes no path, and stays open.
 */
export function useSave(path?: string) {
  const router = useRouter()
  const queryClient = useQueryClient()
  const { notify } = useNotifications()
  let hasLeft = false
  onScopeDispose(() => (hasLeft = true))

  /** Goes back to the list with its page and search, or opens the list if the form was opened elsewhere. */
  async function leave(): Promise<void> {
    // After a slow save, the user may already be in another view.
    if (hasLeft || !path) return
    const { back } = router.options.history.state
    if (typeof back === 'string' && back.split('?')[0] === path) router.back()
    else await router.push(path)
  }

  async function save<Result>(
    request: Promise<Result>,
    notification: string,
    options?: (result: Result) => NotificationOptions,
  ): Promise<void> {
    const wasLoggedIn = !!token.value
    const result = await request
    if (wasLoggedIn && !token.value) return // Saving one's own account can log out.
    // After a slow save, the input may be that of another view.
    if (!hasLeft && path) forgetInput()
    // Invalidate all queries: other views may show the record, and deleting a user also deletes items.
    await queryClient.invalidateQueries()
    notify(notification, options?.(result))
    await leave()
  }

  return { save, leave }
}
