import { ref } from 'vue'

const SECOND_MS = 1_000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** The current time, for texts that depend on it. Updated each half minute. */
export const now = ref(new Date())
setInterval(() => (now.value = new Date()), 30 * SECOND_MS)

/** Returns such as “26 November 2026 at 09:58”. */
export function exactTime(value: string, locale: string): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeStyle: 'short' }).format(
    new Date(value),
  )
}

const startOfDay = (date: Date): number => new Date(date).setHours(0, 0, 0, 0)

/** Returns such as “2 min. ago”, “yesterday”, “22 Nov”, or “22 Nov 2025” in another year. */
export function relativeTime(value: string, now: Date, locale: string): string {
  const date = new Date(value)
  const ms = date.getTime() - now.getTime()
  const format = new Intl.RelativeTimeFormat(locale, { numeric: 'auto', style: 'short' })
  const distance = Math.abs(ms)
  // The clocks of the server and of the browser may differ a little.
  if (distance < MINUTE_MS) return format.format(0, 'second')
  if (distance < HOUR_MS) return format.format(Math.trunc(ms / MINUTE_MS), 'minute')
  // Rounded, because a day has 23 or 25 hours when the clock is changed.
  const days = Math.round((startOfDay(date) - startOfDay(now)) / DAY_MS)
  if (days === 0 || distance < 6 * HOUR_MS) return format.format(Math.trunc(ms / HOUR_MS), 'hour')
  if (days === -1) return format.format(-1, 'day')
  const isThisYear = date.getFullYear() === now.getFullYear()
  return new Intl.DateTimeFormat(locale, {
    day: 'numeric',
    month: 'short',
    year: isThisYear ? undefined : 'numeric',
  }).format(date)
}

/** Returns such as “12 sec”, “3 min” or “2 hr”. */
export function durationText(seconds: number, locale: string): string {
  let [value, unit] = [seconds, 'second']
  if (seconds >= 90 * 60) [value, unit] = [seconds / 3600, 'hour']
  else if (seconds >= 90) [value, unit] = [seconds / 60, 'minute']
  const format = new Intl.NumberFormat(locale, { style: 'unit', unit })
  return format.format(Math.max(1, Math.round(value)))
}
