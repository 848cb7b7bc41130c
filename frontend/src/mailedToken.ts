import { ref } from 'vue'

/** The token from a mailed link. It is kept in memory only. */
export const mailedToken = ref('')

/** Moves the token out of the URL, so that no history entry and no request contains it. */
function moveTokenToMemory(): void {
  const { pathname, search, hash } = window.location
  const [, view] = /^\/(reset-password|verify-email)\/?$/i.exec(pathname) ?? []
  if (!view) return
  // Links that earlier versions sent to reset a password have the token in the query.
  const query = view.toLowerCase() === 'reset-password' ? search : ''
  const token =
    new URLSearchParams(hash.slice(1)).get('token') ?? new URLSearchParams(query).get('token')
  if (token === null) return
  mailedToken.value = token
  window.history.replaceState(window.history.state, '', pathname)
}

moveTokenToMemory()
// If the view is already open, opening a link changes only the fragment and loads nothing.
window.addEventListener('popstate', moveTokenToMemory)
