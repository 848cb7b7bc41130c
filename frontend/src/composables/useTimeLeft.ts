import { type Ref, ref, watch } from 'vue'
import type { Job } from '@/client'

const WINDOW_MS = 10_000
/** Less time would not give a speed. */
const SHORTEST_MS = 1_500

/** Estimates the seconds until the job is done, from its progress of the last seconds. */
export function useTimeLeft(job: Ref<Job | undefined>): Ref<number | undefined> {
  const seconds = ref<number>()
  let samples: { at: number; attempt: number; done: number }[] = []
  watch(
    job,
    (job) => {
      seconds.value = undefined
      if (job?.state !== 'running' || !job.total) return
      const now = { at: Date.now(), attempt: job.attempts, done: job.progress }
      samples = samples.filter(
        ({ at, attempt }) => at > now.at - WINDOW_MS && attempt === now.attempt,
      )
      samples.push(now)
      const first = samples[0]!
      const [ms, done] = [now.at - first.at, now.done - first.done]
      if (ms < SHORTEST_MS || done <= 0) return
      seconds.value = (((job.total - job.progress) / done) * ms) / 1000
    },
    { immediate: true },
  )
  return seconds
}
