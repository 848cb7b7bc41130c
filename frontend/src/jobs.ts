/** Texts and rules of the worker's jobs. */

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
