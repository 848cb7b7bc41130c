import { defineStore } from 'pinia'
import { computed } from 'vue'
import { loginLoginAccessToken } from '@/client'
import { token } from '@/token'

/** Logs in and out. useCurrentUser loads the data of the user. */
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
