import { useQuery } from '@tanstack/vue-query'
import { type User, usersReadUserMe } from '@/client'

export const currentUserKey = ['users', 'me'] as const

export function useCurrentUser() {
  return useQuery({
    queryKey: currentUserKey,
    queryFn: async () => (await usersReadUserMe()).data,
  })
}

/** Whether the API would store this email as another one than the user's. */
export function isOtherEmail(email: string | undefined, user: User | undefined): boolean {
  return email?.trim().toLowerCase() !== user?.email
}
