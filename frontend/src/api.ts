/** How the generated client reaches the API, and what its errors look like to the web app. */

import type { ValidationError } from '@/client'
import { client } from '@/client/client.gen'
import { i18n } from '@/plugins/i18n'
import { token } from '@/token'

const TIMEOUT_MS = 30_000
/** Statuses of a proxy without a backend, and of a backend without a database. */
const UNREACHABLE = [502, 503, 504]

interface ErrorBody {
  code?: string
  field?: string
  detail?: string | ValidationError[]
}

/** What is wrong with one field of a request. */
export interface Problem {
  field: string
  /** The kind of problem, such as string_too_short. */
  type: string
  limits: Record<string, unknown>
}

export class ApiError extends Error {
  constructor(
    /** 0 without a response, or with only a part of one. */
    readonly status: number,
    /** What went wrong, such as email_taken; empty if the response is not the API's. */
    readonly code = '',
    /** The field of the form that the error belongs to, if any. */
    readonly field?: string,
    readonly problems: Problem[] = [],
    readonly retryAfterSeconds?: number,
  ) {
    super(`${status} ${code}`)
  }

  /** Whether the server may be unreachable, rather than the request wrong. */
  get isUnreachable(): boolean {
    // A 404 without a code is the web app's own server: the proxy has lost the backend.
    const isWebServers = this.status === 404 && !this.code
    return this.status === 0 || UNREACHABLE.includes(this.status) || isWebServers
  }
}

export function toApiError(error: unknown, response?: Response): ApiError {
  // A success whose body can't be read was cut short.
  if (!response || response.ok) return new ApiError(0)
  const { code, field, detail } = (error || {}) as ErrorBody
  const problems = Array.isArray(detail) ? detail : []
  return new ApiError(
    response.status,
    code,
    field,
    problems.map(({ loc, type, ctx = {} }) => ({ field: String(loc.at(-1)), type, limits: ctx })),
    Number(response.headers.get('Retry-After')) || undefined,
  )
}

/** One sentence in the reader's language. */
export function errorText(error: unknown): string {
  const { global } = i18n
  const { t } = global
  if (!(error instanceof ApiError)) return t('failure.unexpected')
  const { status, code, isUnreachable, retryAfterSeconds: seconds = 60 } = error
  if (global.te(`error.${code}`)) return t(`error.${code}`)
  if (status === 429) return t('failure.tooManyAttempts', { seconds }, seconds)
  return t(isUnreachable ? 'failure.unreachable' : 'failure.unexpected')
}

/** The text at a field, in the reader's language. */
export function problemText({ type, limits }: Problem): string {
  const { global } = i18n
  const { t } = global
  // The plural form is that of the limit, if there is one.
  const count = Number(limits.min_length ?? limits.max_length ?? 1)
  return global.te(`problem.${type}`) ? t(`problem.${type}`, limits, count) : t('problem.invalid')
}

let session = new AbortController()

/** Drops every response that is still to come, since it belongs to the ended session. */
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
