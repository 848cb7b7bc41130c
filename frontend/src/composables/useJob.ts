import { useQuery, useQueryClient } from '@tanstack/vue-query'
import { useDocumentVisibility } from '@vueuse/core'
import { computed, onWatcherCleanup, ref, watch } from 'vue'
import { ApiError, UNLIMITED } from '@/api'
import { jobsReadJobEvents } from '@/client'
import { jobsReadJobOptions } from '@/client/@tanstack/vue-query.gen'
import { isUnfinished } from '@/jobs'
import { useConnection } from '@/store/connection'
import { sleep } from '@/tabLock'

/** The server sends at least a comment each 15 seconds. Without one, the connection is dead. */
const SILENCE_MS = 40_000
const FIRST_DELAY_MS = 500
const LONGEST_DELAY_MS = 15_000

/**
 * Reads a job, and follows its changes while it is unfinished and the browser's tab is visible.
 *
 * Browsers open only six connections to a server over HTTP/1.1, and each stream takes one.
 */
export function useJob(id: number) {
  const queryClient = useQueryClient()
  const connection = useConnection()
  const visibility = useDocumentVisibility()
  const options = jobsReadJobOptions({ path: { id } })
  const { data: job, error, refetch } = useQuery({ ...options, refetchOnMount: 'always' })
  const isReconnecting = ref(false)

  const isFollowed = computed(
    () => visibility.value === 'visible' && !!job.value && isUnfinished(job.value),
  )
  watch(
    isFollowed,
    (isFollowed) => {
      if (!isFollowed) return
      const stop = new AbortController()
      onWatcherCleanup(() => stop.abort())
      void follow(stop.signal)
    },
    { immediate: true },
  )

  /** Reads streams until the signal is aborted. A stream also ends when the token expires. */
  async function follow(signal: AbortSignal): Promise<void> {
    const isStopped = (): boolean => signal.aborted
    let delay = FIRST_DELAY_MS
    do {
      if (await readStream(signal)) delay = FIRST_DELAY_MS
      const latest = queryClient.getQueryData(options.queryKey)
      if (isStopped() || !latest || !isUnfinished(latest)) break
      isReconnecting.value = true
      await sleep(delay)
      delay = Math.min(2 * delay, LONGEST_DELAY_MS)
    } while (!isStopped() && (await canReconnect()) && !isStopped())
    isReconnecting.value = false
  }

  /** Reads the job by an ordinary request, which also renews the token. Waits for the server. */
  async function canReconnect(): Promise<boolean> {
    const { error } = await refetch()
    if (!error) return true
    const reason: unknown = error
    if (!(reason instanceof ApiError && reason.isUnreachable)) return false
    await connection.check()
    return true
  }

  /** Returns whether the stream has sent the job. */
  async function readStream(signal: AbortSignal): Promise<boolean> {
    const dead = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    const waitForNext = (): void => {
      clearTimeout(timer)
      timer = setTimeout(() => dead.abort(), SILENCE_MS)
    }
    waitForNext()
    // Browsers keep the stream open while they are offline.
    window.addEventListener('offline', () => dead.abort(), { signal: dead.signal })
    let hasSent = false
    const { stream } = await jobsReadJobEvents({
      path: { id },
      signal: AbortSignal.any([signal, dead.signal]),
      // The client would repeat the request with the same token.
      sseMaxRetryAttempts: 1,
      // Also runs for a comment.
      onSseEvent: waitForNext,
      ...UNLIMITED,
    })
    for await (const event of stream) {
      if (signal.aborted) break
      hasSent = true
      isReconnecting.value = false
      queryClient.setQueryData(options.queryKey, event)
    }
    clearTimeout(timer)
    dead.abort() // Removes the listener.
    return hasSent
  }

  // Lists show the rows that the job has imported, and the menu counts the unfinished jobs.
  watch(
    () => !!job.value && !isUnfinished(job.value),
    (isFinished) => {
      if (isFinished) void queryClient.invalidateQueries()
    },
    { immediate: true },
  )

  return { job, error, refetch, isReconnecting }
}
