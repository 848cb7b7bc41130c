/** Texts and rules of the worker's jobs. */

import { mdiBroom, mdiCogOutline, mdiEmailOutline, mdiTrayArrowDown, mdiTrayArrowUp } from '@mdi/js'
import type { Job } from '@/client'
import { i18n } from '@/plugins/i18n'

/** Whether the job can still change and be cancelled. */
export const isUnfinished = ({ state }: Pick<Job, 'state'>): boolean =>
  state === 'queued' || state === 'running'

/** Names the kind of a job. A kind without a text is named after its function. */
export function kindText(kind: string): string {
  const { global } = i18n
  const key = `option.kind.${kind}`
  if (global.te(key)) return global.t(key)
  const words = kind.replaceAll('_', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** The file of a job, or what it does. */
export const titleOf = ({ source, file, kind }: Job): string => source || file || kindText(kind)

/** Whether the job imports or exports rows. Its progress and its total count them. */
export const hasRows = ({ kind }: Pick<Job, 'kind'>): boolean => /^(import|export)_/.test(kind)

/** Says how many lines of an imported file have problems. */
export function problemsText({ problem_count: count, progress, total }: Job): string {
  const { t, n } = i18n.global
  if (!total) return t('job.problems', { n: n(count) }, count)
  const values = { n: n(count), total: n(total) }
  // An import stops after a thousand problems.
  return progress < total ? t('job.atLeastProblems', values) : t('job.problemsOf', values, count)
}

const ICONS: [start: string, icon: string][] = [
  ['send', mdiEmailOutline],
  ['import', mdiTrayArrowUp],
  ['export', mdiTrayArrowDown],
  ['prune', mdiBroom],
]

/** The icon of a kind, by its first word. */
export const iconOf = (kind: string): string =>
  ICONS.find(([start]) => kind.startsWith(start))?.[1] ?? mdiCogOutline

const TONES = {
  queued: 'off',
  running: 'primary',
  succeeded: 'success',
  failed: 'error',
  cancelled: 'off',
} as const

/** The colour that stands for a state. */
export const toneOf = ({ state }: Pick<Job, 'state'>) => TONES[state]
