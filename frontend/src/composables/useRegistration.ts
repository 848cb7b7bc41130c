import { useQuery } from '@tanstack/vue-query'
import { usersReadRegistration } from '@/client'

/** Whether anyone may sign up; the server's setting. */
export function useRegistration() {
  return useQuery({
    queryKey: ['users', 'open'],
    queryFn: async () => (await usersReadRegistration()).data,
    staleTime: Infinity,
  })
}
