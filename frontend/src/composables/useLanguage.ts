import { useI18n } from 'vue-i18n'
import { chooseLocale, type Locale, locales } from '@/plugins/i18n'
import { useNotifications } from '@/store/notifications'

/** The languages of the web app as options, and the function that chooses one. */
export function useLanguage() {
  const { t } = useI18n()
  const { notifyError } = useNotifications()
  const languages = Object.entries(locales).map(([value, title]) => ({ value, title }))

  async function choose(language: string): Promise<void> {
    try {
      await chooseLocale(language as Locale)
    } catch {
      notifyError(t('failure.unreachable'))
    }
  }

  return { languages, choose }
}
