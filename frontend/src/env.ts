/** The settings of frontend/.env, from index.html: the container fills them in when it starts. */
const {
  name = '',
  environment = 'development',
  ...domains
} = document.querySelector<HTMLElement>('meta[name=settings]')?.dataset ?? {}

/** The page's own origin when it was opened under the domain, on whatever port. */
export function originOf(
  domain: string,
  environment: string,
  page: Pick<Location, 'hostname' | 'origin'>,
): string {
  const [hostname] = domain.split(':')
  if (!domain || hostname === page.hostname) return page.origin
  return `${environment === 'development' ? 'http' : 'https'}://${domain}`
}

export const appName = name
export const apiOrigin = originOf(domains[environment] ?? '', environment, window.location)
