/** How the generated client reaches the API, and what its failures look like to the page. */

import type { ValidationError } from '@/client'
import { client } from '@/client/client.gen'
import { i18n, translateApiText } from '@/plugins/i18n'
import { token } from '@/token'

const TIMEOUT_MS = 30_000
/** What a proxy answers for a backend that is away, and the backend for a database that is. */
const AWAY = [502, 503, 504]

export interface FieldProblem {
  field: string
  /** What kind of problem it is, such as password_too_common. */
  type: string
  /** The API's own sentence, in English. */
  text: string
}

export class ApiError extends Error {
  constructor(
    /** 0 when there was no answer, or not a whole one. */
    readonly status: number,
    /** The API's own sentence, in English; empty when the answer was not the API's. */
    readonly detail = '',
    readonly problems: FieldProblem[] = [],
    readonly retryAfterSeconds?: number,
  ) {
    super(detail || `status ${status}`)
  }

  /** Whether it may be the server that is away, rather than the request that is wrong. */
  get isAway(): boolean {
    // Without a word of the API's, a 404 is the page's own server: the proxy has lost the backend.
    const isPages = this.status === 404 && !this.detail
    return this.status === 0 || AWAY.includes(this.status) || isPages
  }
}

export function toApiError(error: unknown, response?: Response): ApiError {
  // A success whose body can't be read was cut short.
  if (!response || response.ok) return new ApiError(0)
  const detail = (error as { detail?: unknown } | undefined)?.detail
  const retryAfter = Number(response.headers.get('Retry-After')) || undefined
  if (Array.isArray(detail)) {
    const problems = (detail as ValidationError[]).map(({ loc, type, msg }) => ({
      field: String(loc.at(-1)),
      type,
      text: msg,
    }))
    return new ApiError(response.status, '', problems, retryAfter)
  }
  return new ApiError(response.status, typeof detail === 'string' ? detail : '', [], retryAfter)
}

/** One sentence in the reader's language. */
export function errorText(error: unknown): string {
  const { t } = i18n.global
  if (!(error instanceof ApiError)) return t('error.unexpected')
  if (error.status === 429) return t('error.tooMany', { seconds: error.retryAfterSeconds ?? 60 })
  if (error.status === 422) return t('error.invalid')
  if (error.detail) return translateApiText(error.detail)
  return error.isAway ? t('error.away') : t('error.unexpected')
}

/** The text at a field, in the reader's language where it has been translated. */
export function problemText({ type, text }: FieldProblem): string {
  const { global } = i18n
  if (text.startsWith('value is not a valid email address')) return global.t('rule.email')
  return global.te(`problem.${type}`) ? global.t(`problem.${type}`) : text
}

let session = new AbortController()

/** Drops every answer that is still to come: it belongs to the session that has ended. */
export function abortRequests(): void {
  session.abort()
  session = new AbortController()
}

client.setConfig({
  // The web app's own origin, whatever its address is.
  baseUrl: '',
  auth: () => token.value,
})
client.interceptors.request.use(
  (request) =>
    new Request(request, {
      signal: AbortSignal.any([request.signal, session.signal, AbortSignal.timeout(TIMEOUT_MS)]),
    }),
)
client.interceptors.error.use((error, response) => toApiError(error, response))
