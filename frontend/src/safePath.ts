/** Returns the path if it belongs to the web app, so that no link redirects to another host. */
export function safePath(wanted: unknown): string {
  return typeof wanted === 'string' && /^\/(?![/\\])/.test(wanted) ? wanted : '/main'
}
