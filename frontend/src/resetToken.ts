import { ref } from 'vue'

/** The token from a mailed link. It is kept in memory only. */
export const resetToken = ref('')

/** Moves the token out of the URL, so that no history entry and no request contains it. */
function moveTokenToMemory(): void {
  const { pathname, search, hash } = window.location
  if (!/^\/reset-password\/?$/i.test(pathname)) return
  // Links sent by earlier versions have the token in the query.
  const token =
    new URLSearchParams(hash.slice(1)).get('token') ?? new URLSearchParams(search).get('token')
  if (token === null) return
  resetToken.value = token
  window.history.replaceState(window.history.state, '', pathname)
}

moveTokenToMemory()
// If the view is already open, opening a link changes only the fragment and loads nothing.
window.addEventListener('popstate', moveTokenToMemory)
