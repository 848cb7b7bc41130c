import { useQuery } from '@tanstack/vue-query'
import { useLocalStorage } from '@vueuse/core'
import { computed, type Ref, watch } from 'vue'
import { useI18n } from 'vue-i18n'
import { useRoute } from 'vue-router'
import type { Job, User } from '@/client'
import { jobsReadJobsOptions } from '@/client/@tanstack/vue-query.gen'
import { isUnfinished } from '@/jobs'

export const JOBS_PATH = '/main/jobs'
const REFETCH_INTERVAL_MS = 15_000
/** The newest jobs that are unfinished or failed. More are not counted. */
const LIMIT = 25

export interface Badge {
  count: number
  /** Names what is counted. */
  text: string
  isBad: boolean
}

/** Counts the user's unfinished jobs, or those that failed since the user last opened the jobs. */
export function useJobBadge(user: Ref<User | undefined>) {
  const { t, n } = useI18n()
  const route = useRoute()
  const state: Job['state'][] = ['queued', 'running', 'failed']
  const { data } = useQuery(
    computed(() => ({
      // Superusers would also get the jobs of others.
      ...jobsReadJobsOptions({
        query: { state, owner_id: user.value?.id, sort: '-id', limit: LIMIT },
      }),
      enabled: !!user.value,
      // Vue Query reads nothing while the browser's tab is hidden.
      refetchInterval: REFETCH_INTERVAL_MS,
    })),
  )

  /** When the newest failed job that each user has seen finished. The time is the server's. */
  const seen = useLocalStorage<Record<string, string>>('jobs-seen', {})
  const failed = computed(() => {
    const since = Date.parse(seen.value[user.value?.id ?? 0] ?? '') || 0
    return (data.value ?? []).filter(
      ({ state, finished_at }) => state === 'failed' && Date.parse(finished_at ?? '') > since,
    )
  })
  const unfinished = computed(() => (data.value ?? []).filter(isUnfinished))

  const isOpen = computed(() => `${route.path}/`.startsWith(`${JOBS_PATH}/`))
  watch(
    [isOpen, failed],
    () => {
      if (!isOpen.value || !failed.value.length) return
      const times = failed.value.map(({ finished_at }) => finished_at!)
      const newest = times.reduce((a, b) => (Date.parse(a) > Date.parse(b) ? a : b))
      seen.value = { ...seen.value, [user.value!.id]: newest }
    },
    { immediate: true },
  )

  return computed((): Badge | undefined => {
    const [bad, open] = [failed.value.length, unfinished.value.length]
    const texts = [
      bad && t('job.failedCount', { n: n(bad) }, bad),
      open && t('job.unfinished', { n: n(open) }, open),
    ].filter(Boolean)
    return texts.length ? { count: bad || open, text: texts.join(', '), isBad: bad > 0 } : undefined
  })
}
