import { useSessionStorage } from '@vueuse/core'

/** The access token, or an empty string. The only place that knows where the token is stored. */
export const token = useSessionStorage('token', '')
