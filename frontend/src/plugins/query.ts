import { MutationCache, QueryCache, QueryClient } from '@tanstack/vue-query'
import { abortRequests, ApiError, errorText } from '@/api'
import { i18n } from '@/plugins/i18n'
import { router } from '@/router'
import { useConnection } from '@/store/connection'
import { useNotifications } from '@/store/notifications'
import { useSession } from '@/store/session'

/** What every failed request leads to; the form that sent it shows the error besides. */
async function handle(error: Error): Promise<void> {
  if (!(error instanceof ApiError)) {
    console.error(error)
  } else if (error.isAway) {
    const wasLost = await useConnection().check()
    if (wasLost) await queryClient.refetchQueries({ type: 'active', predicate: hasFailed })
  } else if (useSession().isLoggedIn && endsSession(error)) {
    const { fullPath } = router.currentRoute.value
    endSession()
    useNotifications().notify(
      error.status === 401 ? i18n.global.t('notice.sessionEnded') : errorText(error),
      'error',
    )
    await router.push({ path: '/login', query: { redirect: fullPath } })
  }
}

const hasFailed = ({ state }: { state: { status: string } }): boolean => state.status === 'error'

function endsSession({ status, detail }: ApiError): boolean {
  return status === 401 || (status === 403 && detail === 'Inactive user')
}

// Not waited for: a form must not go on saving until the backend is back.
const onError = (error: Error): void => void handle(error)

export const queryClient = new QueryClient({
  queryCache: new QueryCache({ onError }),
  mutationCache: new MutationCache({ onError }),
  defaultOptions: {
    // The connection store waits for the backend, with better news than a third failure.
    queries: { retry: false, networkMode: 'always', staleTime: 2_000 },
    mutations: { retry: false, networkMode: 'always' },
  },
})

/** Forgets the token, and what this user saw: the next one must not see it. */
export function endSession(): void {
  useSession().end()
  abortRequests()
  queryClient.clear()
}

/** Logs in again after the user's new password has ended the session. If that fails, nobody is logged in. */
export async function renewSession(email: string, password: string): Promise<void> {
  const session = useSession()
  session.end()
  try {
    await session.login(email, password)
  } catch {
    endSession()
  }
}
