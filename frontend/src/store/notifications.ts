import { defineStore } from 'pinia'
import { ref } from 'vue'

interface Notification {
  text: string
  color: 'success' | 'error' | 'info'
}

/** The queue of notifications that NotificationsManager shows. */
export const useNotifications = defineStore('notifications', () => {
  const queue = ref<Notification[]>([])

  function notify(text: string, color: Notification['color'] = 'success'): void {
    queue.value.push({ text, color })
  }

  return { queue, notify }
})
