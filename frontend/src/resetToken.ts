import { ref } from 'vue'

/** The token of the opened link, kept only in memory. */
export const resetToken = ref('')

/** Removes the token from the address, so that it is in no history entry and no request. */
function takeFromAddress(): void {
  const { pathname, search, hash } = window.location
  if (!/^\/reset-password\/?$/i.test(pathname)) return
  // Links of earlier versions have the token in the query.
  const token =
    new URLSearchParams(hash.slice(1)).get('token') ?? new URLSearchParams(search).get('token')
  if (token === null) return
  resetToken.value = token
  window.history.replaceState(window.history.state, '', pathname)
}

takeFromAddress()
// Opening another link in the same tab changes only the fragment.
window.addEventListener('popstate', takeFromAddress)
