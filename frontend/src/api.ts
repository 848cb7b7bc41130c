/** Configures the generated client, and turns the API's errors into texts for users. */

import type { ValidationError } from '@/client'
import { client } from '@/client/client.gen'
import { i18n } from '@/plugins/i18n'
import { useSession } from '@/store/session'
import { token } from '@/token'

const TIMEOUT_MS = 30_000
/** A proxy sends these if the backend is down, and the backend sends 503 if the database is down. */
const UNREACHABLE = [502, 503, 504]

interface ErrorBody {
  code?: string
  field?: string
  detail?: string | ValidationError[]
}

/** A validation error of one field. */
export interface Problem {
  field: string
  /** The type of the error, such as string_too_short. */
  type: string
  limits: Record<string, unknown>
}

export class ApiError extends Error {
  constructor(
    /** 0 if there was no response, or if it was incomplete. */
    readonly status: number,
    /** The API's error code, such as email_taken; empty if the response came from a proxy. */
    readonly code = '',
    /** The form field that shows the error, if any. */
    readonly field?: string,
    readonly problems: Problem[] = [],
    readonly retryAfterSeconds?: number,
  ) {
    super(`${status} ${code}`)
  }

  /** Whether the error may mean that the server is unreachable. */
  get isUnreachable(): boolean {
    // A 404 without a code comes from the web app's server, because the proxy found no backend.
    const isFromWebServer = this.status === 404 && !this.code
    return this.status === 0 || UNREACHABLE.includes(this.status) || isFromWebServer
  }
}

export function toApiError(error: unknown, response?: Response): ApiError {
  if (error instanceof ApiError) return error // Renewing the access token failed.
  // An error despite a successful status means that the body was incomplete.
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

/** The largest unit first, with its seconds. A smaller one is used for less than two of them. */
const UNITS = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
] as const

/** Returns a text such as "in 2 hours", in the current language. */
function inSeconds(seconds: number): string {
  const [unit, size] = UNITS.find((one) => seconds >= 2 * one[1]) ?? ['second', 1]
  const format = new Intl.RelativeTimeFormat(i18n.global.locale.value)
  return format.format(Math.ceil(seconds / size), unit)
}

/** Returns one or two sentences about the error, in the current language. */
export function errorText(error: unknown): string {
  const { global } = i18n
  const { t } = global
  if (!(error instanceof ApiError)) return t('failure.unexpected')
  const { status, code, isUnreachable, retryAfterSeconds: seconds = 60 } = error
  // A proxy that limits requests sends no code.
  if (status === 429) return t('error.too_many_attempts', { time: inSeconds(seconds) })
  if (global.te(`error.${code}`)) return t(`error.${code}`)
  return t(isUnreachable ? 'failure.unreachable' : 'failure.unexpected')
}

/** The limits that select the plural form. */
const COUNTED = ['min_length', 'max_length', 'max_digits', 'decimal_places', 'whole_digits']

/** Formats a number as the user types it: with the decimal separator of the locale, without grouping. */
function limitText(limit: unknown): unknown {
  const isNumber =
    typeof limit === 'number' || (typeof limit === 'string' && /^-?\d+(\.\d+)?$/.test(limit))
  if (!isNumber) return limit
  const options = { useGrouping: false, maximumFractionDigits: 20 }
  const locale = i18n.global.locale.value
  return new Intl.NumberFormat(locale, options).format(limit as Intl.StringNumericLiteral)
}

/** Returns the error message for a field, in the current language. */
export function problemText({ type, limits }: Pick<Problem, 'type' | 'limits'>): string {
  const { global } = i18n
  const { t } = global
  if (!global.te(`problem.${type}`)) return t('problem.invalid')
  const counted = COUNTED.find((name) => name in limits)
  const texts = Object.fromEntries(
    Object.entries(limits).map(([name, limit]) => [name, limitText(limit)]),
  )
  return t(`problem.${type}`, texts, counted ? Number(limits[counted]) : 1)
}

let session = new AbortController()

/** Cancels all pending requests, so that no response of the ended session is used. */
export function abortRequests(): void {
  session.abort()
  session = new AbortController()
}

/** The option of a request that may take longer, such as an upload or a stream. */
export const UNLIMITED = { meta: { isUnlimited: true } }

interface Limited {
  signal?: AbortSignal | null
  meta?: Record<string, unknown>
}

/** Ends a request with the session and, unless it is unlimited, after the timeout. */
function withTimeout({ signal, meta }: Limited): { signal: AbortSignal } {
  const signals = [session.signal]
  if (signal) signals.push(signal)
  if (!meta?.isUnlimited) signals.push(AbortSignal.timeout(TIMEOUT_MS))
  return { signal: AbortSignal.any(signals) }
}

client.setConfig({
  // Requests go to the origin that the web app was opened at.
  baseUrl: '',
  auth: () => token.value,
})
client.interceptors.request.use(
  (request, options) => new Request(request, withTimeout({ ...options, signal: request.signal })),
)
// If the API rejects the access token, renew it and repeat the request.
client.interceptors.response.use(async (response, { url, method, headers }, options) => {
  const rejected = headers.get('Authorization')?.replace('Bearer ', '')
  if (response.status !== 401 || !rejected) return response
  if (!(await useSession().renew(rejected))) return response
  const again = new Headers(headers)
  again.set('Authorization', `Bearer ${token.value}`)
  const body = options.serializedBody ?? (options.body as BodyInit | undefined)
  return fetch(url, { method, headers: again, body, ...withTimeout(options) })
})
client.interceptors.error.use((error, response) => toApiError(error, response))
