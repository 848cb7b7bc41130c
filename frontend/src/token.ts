import { useSessionStorage } from '@vueuse/core'

/** The access token; empty if nobody is logged in. Only this module depends on where it is stored. */
export const token = useSessionStorage('token', '')
