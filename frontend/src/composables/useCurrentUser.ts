import { useQuery } from '@tanstack/vue-query'
import type { User } from '@/client'
import { usersReadUserMeOptions } from '@/client/@tanstack/vue-query.gen'

export function useCurrentUser() {
  return useQuery(usersReadUserMeOptions())
}

/** Returns whether the API would treat this email as a change of the user's. */
export function isOtherEmail(email: string | undefined, user: User | undefined): boolean {
  return email?.trim().toLowerCase() !== user?.email
}
