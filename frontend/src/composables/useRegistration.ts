import { useQuery } from '@tanstack/vue-query'
import { usersReadRegistrationOptions } from '@/client/@tanstack/vue-query.gen'

/** Whether anyone may sign up (USERS_OPEN_REGISTRATION). */
export function useRegistration() {
  return useQuery({ ...usersReadRegistrationOptions(), staleTime: Infinity })
}
