import { MutationCache, QueryCache, QueryClient } from '@tanstack/vue-query'
import { watch } from 'vue'
import { abortRequests, ApiError, errorText } from '@/api'
import { router } from '@/router'
import { useConnection } from '@/store/connection'
import { useNotifications } from '@/store/notifications'
import { useSession } from '@/store/session'
import { token } from '@/token'

/** These error codes mean that the token no longer works. */
const SESSION_ENDING_CODES = ['not_authenticated', 'invalid_token', 'inactive_user']

/** Runs after every failed request, in addition to the form's own message. */
async function handleRequestError(error: Error): Promise<void> {
  if (!(error instanceof ApiError)) {
    console.error(error)
  } else if (error.isUnreachable) {
    const wasLost = await useConnection().check()
    if (wasLost) await queryClient.refetchQueries({ type: 'active', predicate: hasFailed })
  } else if (useSession().isLoggedIn && SESSION_ENDING_CODES.includes(error.code)) {
    const { fullPath } = router.currentRoute.value
    if (error.code === 'inactive_user') useSession().end()
    else useSession().forget()
    useNotifications().notifyError(errorText(error))
    await router.push({ path: '/login', query: { redirect: fullPath } })
  }
}

const hasFailed = ({ state }: { state: { status: string } }): boolean => state.status === 'error'

// Not awaited: a form would show “saving” until the backend is reachable again.
const onError = (error: Error): void => void handleRequestError(error)

export const queryClient = new QueryClient({
  queryCache: new QueryCache({ onError }),
  mutationCache: new MutationCache({ onError }),
  defaultOptions: {
    // No retries: the connection store waits for the backend and informs the user.
    queries: { retry: false, networkMode: 'always', staleTime: 2_000 },
    mutations: { retry: false, networkMode: 'always' },
  },
})

// Delete all data of the session when it ends, in each tab, so that the next user cannot see them.
watch(
  token,
  () => {
    if (token.value) return
    abortRequests()
    queryClient.clear()
    if (router.currentRoute.value.matched[0]?.path === '/main') void router.push('/login')
  },
  { flush: 'sync' },
)
