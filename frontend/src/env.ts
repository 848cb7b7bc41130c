const { VUE_APP_ENV, VUE_APP_DOMAIN_DEV, VUE_APP_DOMAIN_STAG, VUE_APP_DOMAIN_PROD } = import.meta
  .env

const domains = {
  development: VUE_APP_DOMAIN_DEV,
  staging: VUE_APP_DOMAIN_STAG,
  production: VUE_APP_DOMAIN_PROD,
}

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

export const appName = import.meta.env.VUE_APP_NAME
export const apiOrigin = originOf(domains[VUE_APP_ENV], VUE_APP_ENV, window.location)
