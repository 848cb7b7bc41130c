import { MutationObserver, useQueryClient } from '@tanstack/vue-query'
import { defineStore } from 'pinia'
import { ref, watch } from 'vue'
import { ApiError, errorText } from '@/api'
import { i18n } from '@/plugins/i18n'
import { useNotifications } from '@/store/notifications'
import { token } from '@/token'

/** How long a deletion can be undone. */
const UNDO_MS = 5_000

/** With `keepalive`, the browser sends the request even if the page closes. */
export interface DeleteOptions {
  keepalive: true
  throwOnError: true
}

export interface Deletion {
  /** The section of the resource in the locales, such as `item`. */
  name: string
  id: number
  /** Deletes the record. */
  request: (options: DeleteOptions) => Promise<unknown>
  onUndo?: () => void
}

const keyOf = ({ name, id }: Pick<Deletion, 'name' | 'id'>): string => `${name}/${id}`

/**
 * Deletes records, with a few seconds to undo it.
 *
 * The record disappears at once. Its request is sent when the notification closes: after some seconds, if
 * another notification replaces it, if the page closes, or when the user logs out.
 */
export const useDeletions = defineStore('deletions', () => {
  const { t } = i18n.global
  const queryClient = useQueryClient()
  const { notify, notifyError, dismiss } = useNotifications()

  /** The records that lists hide. */
  const hidden = ref(new Set<string>())
  let waiting: Deletion | undefined
  let sending: Promise<unknown> = Promise.resolve()

  const isHidden = (name: string, id: number): boolean => hidden.value.has(keyOf({ name, id }))

  function remove(deletion: Deletion): void {
    dismiss() // Sends the previous deletion.
    waiting = deletion
    hidden.value.add(keyOf(deletion))
    notify(t(`${deletion.name}.deleted`), {
      action: { text: t('action.undo'), run: undo },
      timeout: UNDO_MS,
      onDismiss: flush,
    })
  }

  function undo(): void {
    const deletion = waiting
    if (!deletion) return
    waiting = undefined
    hidden.value.delete(keyOf(deletion))
    deletion.onUndo?.()
  }

  /** Sends the deletion that can still be undone. Resolves when no request is pending any more. */
  async function flush(): Promise<void> {
    const deletion = waiting
    waiting = undefined
    if (deletion) sending = Promise.all([sending, send(deletion)])
    await sending
  }

  async function send(deletion: Deletion): Promise<void> {
    const mutationFn = () => deletion.request({ keepalive: true, throwOnError: true })
    try {
      await new MutationObserver(queryClient, { mutationFn }).mutate()
    } catch (error) {
      const isGone = error instanceof ApiError && error.code === 'not_found'
      if (!isGone && token.value) notifyError(errorText(error))
    }
    // The record is hidden until the lists have been read again. After an error, it reappears.
    await queryClient.invalidateQueries()
    hidden.value.delete(keyOf(deletion))
  }

  window.addEventListener('pagehide', () => {
    void flush()
    dismiss() // The browser may show the page again.
  })
  // Without a token, the request would be rejected.
  watch(
    token,
    () => {
      if (token.value || !waiting) return
      waiting = undefined
      hidden.value.clear()
      dismiss()
    },
    { flush: 'sync' },
  )

  return { isHidden, remove, flush }
})
