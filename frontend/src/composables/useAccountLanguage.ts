import { useQueryClient } from '@tanstack/vue-query'
import { watch } from 'vue'
import { useI18n } from 'vue-i18n'
import { usersUpdateUserMe } from '@/client'
import { usersReadUserMeQueryKey } from '@/client/@tanstack/vue-query.gen'
import { useCurrentUser } from '@/composables/useCurrentUser'
import { currentLocale } from '@/plugins/i18n'

/**
 * Sets the language of the account to that of the web app: when the user is loaded, for example after a
 * login, and when the language is changed. Mails are in the language of the account.
 */
export function useAccountLanguage(): void {
  const { locale } = useI18n()
  const queryClient = useQueryClient()
  const { data: user } = useCurrentUser()

  async function save(): Promise<void> {
    try {
      const { data } = await usersUpdateUserMe({ body: { language: currentLocale() } })
      queryClient.setQueryData(usersReadUserMeQueryKey(), data)
    } catch {
      // Only the language of mails is wrong, until the web app is loaded again.
    }
  }

  watch(locale, save)
  watch(
    () => user.value?.id,
    () => {
      if (user.value && user.value.language !== currentLocale()) void save()
    },
    { immediate: true },
  )
}
