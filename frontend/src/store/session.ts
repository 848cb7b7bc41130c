import { useLocalStorage } from '@vueuse/core'
import { defineStore } from 'pinia'
import { computed, ref, watch } from 'vue'
import { ApiError, errorText } from '@/api'
import { loginLoginAccessToken, loginLogout, loginRefreshAccessToken } from '@/client'
import { i18n } from '@/plugins/i18n'
import { useConnection } from '@/store/connection'
import { useDeletions } from '@/store/deletions'
import { useNotifications } from '@/store/notifications'
import { inOneTab, sleep } from '@/tabLock'
import { token } from '@/token'

/** How long to wait for a token that another tab may have sent. */
const MESSAGE_MS = 300
const POLL_MS = 50
const RETRY_INTERVAL_MS = 1_000
/** A cookie that is missing after less time did not expire: the browser did not keep it. */
const RECENT_MS = 60 * 60 * 1000

const RENEWED_AT = 'session-renewed-at'

/** Returns the id of the token's user. */
function userOf(accessToken: string): string {
  const payload = accessToken.split('.')[1]!.replace(/-/g, '+').replace(/_/g, '/')
  return (JSON.parse(atob(payload)) as { sub: string }).sub
}

/**
 * Logs in and out, and renews the access token. useCurrentUser loads the data of the user.
 *
 * All tabs share one session: its refresh token is in a cookie that scripts can't read. A tab that gets an
 * access token sends it to the others.
 */
export const useSession = defineStore('session', () => {
  const isLoggedIn = computed(() => token.value !== '')
  /** Whether there may be a cookie: the time of the last token, in milliseconds since 1970, or 0. */
  const renewedAt = useLocalStorage(RENEWED_AT, 0, { flush: 'sync' })
  /** The email of the user, once it is loaded. */
  const email = ref('')
  /** Whether SessionDialog is open. */
  const isEnded = ref(false)

  const tabs = new BroadcastChannel('session')
  tabs.onmessage = ({ data }: MessageEvent<string>) => {
    // If another user logged in, this tab keeps its view: its next request asks for the password.
    if (!data || !token.value || userOf(data) === userOf(token.value)) token.value = data
  }
  // The browser may show a page from its cache that was open before the user logged out elsewhere.
  window.addEventListener('pageshow', ({ persisted }) => {
    if (persisted && !Number(localStorage.getItem(RENEWED_AT))) token.value = ''
  })

  function share(accessToken: string): void {
    const isOther = token.value && accessToken && userOf(accessToken) !== userOf(token.value)
    if (isOther) token.value = '' // Deletes the data of the previous user.
    token.value = accessToken
    renewedAt.value = accessToken ? Date.now() : 0
    tabs.postMessage(accessToken)
  }

  async function login(username: string, password: string): Promise<void> {
    const { data } = await loginLoginAccessToken({
      body: { username, password },
      headers: { 'x-session': 'cookie' },
    })
    share(data.access_token)
  }

  /** Logs in again, because changing the password ended the session. */
  async function loginAgain(username: string, password: string): Promise<void> {
    try {
      await login(username, password)
    } catch {
      email.value = username // The next request asks for the password of this user.
    }
  }

  /** Logs out in all tabs. Throws if the server can't be reached, because the session would not end. */
  async function logOut(): Promise<void> {
    await useDeletions().flush()
    await loginLogout({ headers: { Authorization: `Bearer ${token.value}` } })
    end()
  }

  /** Ends the session in all tabs. */
  const end = (): void => share('')

  /** Ends the session in this tab. The others find out by themselves, and keep what is typed there. */
  const forget = (): void => void (token.value = '')

  let refreshing: Promise<void> | undefined

  /** Gets a new access token, from the server or from another tab. Throws an ApiError. */
  function refresh(): Promise<void> {
    return (refreshing ??= refreshOnce().finally(() => (refreshing = undefined)))
  }

  function refreshOnce(): Promise<void> {
    const before = token.value
    return inOneTab('session-refresh', async (hasWaited) => {
      // Another tab may have refreshed already, and its message comes later than the end of its lock.
      const mayArrive = hasWaited || before !== ''
      for (let ms = mayArrive ? MESSAGE_MS : 0; ms > 0 && token.value === before; ms -= POLL_MS) {
        await sleep(POLL_MS)
      }
      if (token.value !== before) return
      const { data } = await loginRefreshAccessToken()
      if (before && userOf(data.access_token) !== userOf(before)) {
        throw new ApiError(401, 'invalid_token')
      }
      share(data.access_token)
    })
  }

  /** Returns whether a user is logged in. After a reload and in a new tab, this needs a request. */
  async function restore(): Promise<boolean> {
    while (!token.value && renewedAt.value) {
      try {
        await refresh()
      } catch (error) {
        if (!(error instanceof ApiError && error.isUnreachable)) {
          explain(error)
          break
        }
        await useConnection().check()
        await sleep(RETRY_INTERVAL_MS)
      }
    }
    return isLoggedIn.value
  }

  /** Says why the user has to log in again, unless the session has just ended. */
  function explain(error: unknown): void {
    const { notifyError } = useNotifications()
    if (!(error instanceof ApiError) || error.status !== 401) {
      notifyError(errorText(error))
      return
    }
    const isRecent = Date.now() - renewedAt.value < RECENT_MS
    if (error.code === 'not_authenticated' && isRecent) {
      notifyError(i18n.global.t('session.notKept'))
    }
    renewedAt.value = 0
  }

  let answer: ((isRenewed: boolean) => void) | undefined
  let asking: Promise<boolean> | undefined
  watch(
    token,
    () => {
      if (!token.value) email.value = ''
      answer?.(isLoggedIn.value)
    },
    { flush: 'sync' },
  )

  /** Asks for the password of the same user, and returns whether the user has logged in. */
  function askForPassword(): Promise<boolean> {
    isEnded.value = true
    return (asking ??= new Promise<boolean>((resolve) => (answer = resolve)).finally(() => {
      asking = answer = undefined
      isEnded.value = false
    }))
  }

  /** Replaces a token that the API rejected. Returns whether the request can be repeated. */
  async function renew(rejected: string): Promise<boolean> {
    try {
      if (token.value === rejected) await refresh()
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error
      // The user may have logged in meanwhile.
      if (token.value === rejected) return email.value !== '' && askForPassword()
    }
    // Another user may have logged in.
    return isLoggedIn.value && userOf(token.value) === userOf(rejected)
  }

  return { isLoggedIn, isEnded, email, login, loginAgain, logOut, end, forget, restore, renew }
})
