import { defineStore } from 'pinia'
import { computed } from 'vue'
import { loginLoginAccessToken } from '@/client'
import { token } from '@/token'

/** Logs in and out. For the data of the current user, see useCurrentUser. */
export const useSession = defineStore('session', () => {
  const isLoggedIn = computed(() => token.value !== '')

  async function login(username: string, password: string): Promise<void> {
    const { data } = await loginLoginAccessToken({ body: { username, password } })
    token.value = data.access_token
  }

  function end(): void {
    token.value = ''
  }

  return { isLoggedIn, login, end }
})
