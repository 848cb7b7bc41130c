import { MutationCache, QueryCache, QueryClient } from '@tanstack/vue-query'
import { abortRequests, ApiError, errorText } from '@/api'
import { router } from '@/router'
import { useConnection } from '@/store/connection'
import { useNotifications } from '@/store/notifications'
import { useSession } from '@/store/session'

/** Error codes after which the token is no longer valid. */
const ENDS_SESSION = ['not_authenticated', 'invalid_token', 'inactive_user']

/** Runs after every failed request, in addition to the form's own message. */
async function handle(error: Error): Promise<void> {
  if (!(error instanceof ApiError)) {
    console.error(error)
  } else if (error.isUnreachable) {
    const wasLost = await useConnection().check()
    if (wasLost) await queryClient.refetchQueries({ type: 'active', predicate: hasFailed })
  } else if (useSession().isLoggedIn && ENDS_SESSION.includes(error.code)) {
    const { fullPath } = router.currentRoute.value
    endSession()
    useNotifications().notify(errorText(error), 'error')
    await router.push({ path: '/login', query: { redirect: fullPath } })
  }
}

const hasFailed = ({ state }: { state: { status: string } }): boolean => state.status === 'error'

// Not awaited: the form must stop showing progress while the backend is unreachable.
const onError = (error: Error): void => void handle(error)

export const queryClient = new QueryClient({
  queryCache: new QueryCache({ onError }),
  mutationCache: new MutationCache({ onError }),
  defaultOptions: {
    // The connection store waits for the backend and then repeats failed queries.
    queries: { retry: false, networkMode: 'always', staleTime: 2_000 },
    mutations: { retry: false, networkMode: 'always' },
  },
})

/** Forgets the token and all data, so that the next user does not see it. */
export function endSession(): void {
  useSession().end()
  abortRequests()
  queryClient.clear()
}

/** Logs in again after a new password has ended the session. If that fails, the user is logged out. */
export async function renewSession(email: string, password: string): Promise<void> {
  const session = useSession()
  session.end()
  try {
    await session.login(email, password)
  } catch {
    endSession()
  }
}
