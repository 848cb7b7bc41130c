import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'

export interface NotificationOptions {
  isError?: boolean
  action?: { text: string; run: () => void }
  /** Milliseconds until the notification closes by itself. */
  timeout?: number
  /** Runs when the notification closes, except by its action. */
  onDismiss?: () => void
}

interface Notification extends NotificationOptions {
  text: string
}

/** The notification that NotificationsManager shows. A new one replaces it. */
export const useNotifications = defineStore('notifications', () => {
  const current = shallowRef<Notification>()
  /** The number of notifications so far. */
  const count = ref(0)

  function dismiss(): void {
    const dismissed = current.value
    current.value = undefined
    dismissed?.onDismiss?.()
  }

  function runAction(): void {
    const action = current.value?.action
    current.value = undefined
    action?.run()
  }

  function notify(text: string, options: NotificationOptions = {}): void {
    dismiss()
    current.value = { text, ...options }
    count.value += 1
  }
  const notifyError = (text: string): void => notify(text, { isError: true })

  return { current, count, notify, notifyError, dismiss, runAction }
})
