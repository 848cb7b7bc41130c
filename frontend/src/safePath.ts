/** Returns the path if it is in the web app, else /main: a link must not redirect to another host. */
export function safePath(path: unknown): string {
  return typeof path === 'string' && /^\/(?![/\\])/.test(path) ? path : '/main'
}
