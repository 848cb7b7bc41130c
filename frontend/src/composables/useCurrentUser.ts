import { useQuery } from '@tanstack/vue-query'
import { usersReadUserMe } from '@/client'

export const currentUserKey = ['users', 'me'] as const

export function useCurrentUser() {
  return useQuery({
    queryKey: currentUserKey,
    queryFn: async () => (await usersReadUserMe()).data,
  })
}
