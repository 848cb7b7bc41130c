import { useQuery } from '@tanstack/vue-query'
import type { User } from '@/client'
import { usersReadUserMeOptions } from '@/client/@tanstack/vue-query.gen'

export function useCurrentUser() {
  return useQuery(usersReadUserMeOptions())
}

/** Returns whether saving this email would change the user's email. */
export function isEmailChanged(email: string | undefined, user: User | undefined): boolean {
  return email?.trim().toLowerCase() !== user?.email
}
