import { defineStore } from 'pinia'
import { ref } from 'vue'
import { utilsHealthReady } from '@/client'

const EVERY_MS = 2_000

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

  /** Waits until the backend responds, and returns whether it was unreachable. */
  function check(): Promise<boolean> {
    return (checking ??= wait().finally(() => (checking = undefined)))
  }

  async function wait(): Promise<boolean> {
    let wasLost = false
    while (!(await isReady())) {
      isLost.value = wasLost = true
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS))
    }
    isLost.value = false
    return wasLost
  }

  return { isLost, check }
})
