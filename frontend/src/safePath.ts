/** Returns the path if it belongs to the web app, else /main, so that no link redirects to another host. */
export function safePath(path: unknown): string {
  return typeof path === 'string' && /^\/(?![/\\])/.test(path) ? path : '/main'
}
