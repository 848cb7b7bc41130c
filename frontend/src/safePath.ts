/** A path of this page, whatever the address says: nobody is led to a foreign host. */
export function safePath(wanted: unknown): string {
  return typeof wanted === 'string' && /^\/(?![/\\])/.test(wanted) ? wanted : '/main'
}
