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
  return global.te(key) ? global.t(key) : kind.replaceAll('_', ' ')
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
