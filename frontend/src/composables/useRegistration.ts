import { useQuery } from '@tanstack/vue-query'
import { usersReadRegistrationOptions } from '@/client/@tanstack/vue-query.gen'

/** Queries whether the server allows anyone to sign up. */
export function useRegistration() {
  return useQuery({ ...usersReadRegistrationOptions(), staleTime: Infinity })
}
