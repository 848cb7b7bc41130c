/** Configures the generated client and translates the errors of the API. */

import type { ValidationError } from '@/client'
import { client } from '@/client/client.gen'
import { i18n } from '@/plugins/i18n'
import { token } from '@/token'

const TIMEOUT_MS = 30_000
/** Sent by a proxy without a backend, or a backend without a database. */
const UNREACHABLE = [502, 503, 504]

interface ErrorBody {
  code?: string
  field?: string
  detail?: string | ValidationError[]
}

/** A validation error of one field. */
export interface Problem {
  field: string
  /** The kind of error, such as string_too_short. */
  type: string
  limits: Record<string, unknown>
}

export class ApiError extends Error {
  constructor(
    /** 0 if there is no response, or an incomplete one. */
    readonly status: number,
    /** The code of the API, such as email_taken; empty if the response comes from elsewhere. */
    readonly code = '',
    /** The field of the form that the error belongs to, if any. */
    readonly field?: string,
    readonly problems: Problem[] = [],
    readonly retryAfterSeconds?: number,
  ) {
    super(`${status} ${code}`)
  }

  /** Whether the error may be caused by an unreachable server instead of the request. */
  get isUnreachable(): boolean {
    // A 404 without a code comes from the web app's server: the proxy has no backend.
    const isWebServers = this.status === 404 && !this.code
    return this.status === 0 || UNREACHABLE.includes(this.status) || isWebServers
  }
}

export function toApiError(error: unknown, response?: Response): ApiError {
  // A successful response that cannot be read is incomplete.
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

/** Returns one sentence in the user's language. */
export function errorText(error: unknown): string {
  const { global } = i18n
  const { t } = global
  if (!(error instanceof ApiError)) return t('failure.unexpected')
  const { status, code, isUnreachable, retryAfterSeconds: seconds = 60 } = error
  if (global.te(`error.${code}`)) return t(`error.${code}`)
  if (status === 429) return t('failure.tooMany', { seconds })
  return t(isUnreachable ? 'failure.unreachable' : 'failure.unexpected')
}

/** Returns the message at a field, in the user's language. */
export function problemText({ type, limits }: Problem): string {
  const { global } = i18n
  const { t } = global
  // The limit, such as max_length, selects the plural form.
  const count = Object.values(limits).find((limit) => typeof limit === 'number') ?? 1
  return global.te(`problem.${type}`) ? t(`problem.${type}`, limits, count) : t('problem.invalid')
}

let session = new AbortController()

/** Aborts all pending requests: their responses belong to the ended session. */
export function abortRequests(): void {
  session.abort()
  session = new AbortController()
}

client.setConfig({
  // The origin of the web app.
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
