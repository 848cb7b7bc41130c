import { defineStore } from 'pinia'
import { shallowRef } from 'vue'

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
  }
  const notifyError = (text: string): void => notify(text, { isError: true })

  return { current, notify, notifyError, dismiss, runAction }
})
