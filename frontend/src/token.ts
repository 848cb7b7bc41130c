import { useSessionStorage } from '@vueuse/core'

/** The access token, empty when nobody is logged in. Nothing else knows where it is kept. */
export const token = useSessionStorage('token', '')
