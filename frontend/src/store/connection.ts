import { defineStore } from 'pinia'
import { ref } from 'vue'
import { utilsHealthReady } from '@/client'

const RETRY_INTERVAL_MS = 2_000

async function isReady(): Promise<boolean> {
  try {
    await utilsHealthReady()
    return true
  } catch {
    return false
  }
}

export const useConnection = defineStore('connection', () => {
  const isLost = ref(false)
  let checking: Promise<boolean> | undefined

  /** Waits until the backend responds. Returns whether it was unreachable. */
  function check(): Promise<boolean> {
    return (checking ??= waitUntilReady().finally(() => (checking = undefined)))
  }

  async function waitUntilReady(): Promise<boolean> {
    let wasLost = false
    while (!(await isReady())) {
      isLost.value = wasLost = true
      await new Promise((resolve) => setTimeout(resolve, RETRY_INTERVAL_MS))
    }
    isLost.value = false
    return wasLost
  }

  return { isLost, check }
})
