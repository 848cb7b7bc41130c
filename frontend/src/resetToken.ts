import { ref } from 'vue'

/** The token of the mailed link that was opened, kept in memory only. */
export const resetToken = ref('')

/** Moves the token out of the address, so that no history entry and no request carries it. */
function takeFromAddress(): void {
  const { pathname, search, hash } = window.location
  if (!/^\/reset-password\/?$/i.test(pathname)) return
  // Links of earlier versions have it in the query.
  const token =
    new URLSearchParams(hash.slice(1)).get('token') ?? new URLSearchParams(search).get('token')
  if (token === null) return
  resetToken.value = token
  window.history.replaceState(window.history.state, '', pathname)
}

takeFromAddress()
// A link opened in the tab of another one changes the fragment only.
window.addEventListener('popstate', takeFromAddress)
