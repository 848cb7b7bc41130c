import { useLocalStorage } from '@vueuse/core'
import { createI18n } from 'vue-i18n'
import en from '@/locales/en.json'
import { vuetify } from '@/plugins/vuetify'

export const locales = { en: 'English', ru: 'Русский' } as const
export type Locale = keyof typeof locales

const storedLocale = useLocalStorage<string>('locale', '')

const messages: Record<string, typeof en> = { en }
const locale: string = 'en'

const russianRules = new Intl.PluralRules('ru')

export const i18n = createI18n({
  legacy: false,
  locale,
  fallbackLocale: 'en',
  messages,
  // Russian has three plural forms: for 1, for 2 and for 5.
  pluralRules: { ru: (count) => ['one', 'few', 'many'].indexOf(russianRules.select(count)) },
})

export const currentLocale = (): Locale => i18n.global.locale.value as Locale

let requested: Locale

/** Switches the language, loading it if necessary. Throws if the server can't be reached. */
export async function setLocale(locale: Locale): Promise<void> {
  requested = locale
  if (locale === 'ru' && !i18n.global.availableLocales.includes('ru')) {
    const [texts, components] = await Promise.all([
      import('@/locales/ru.json'),
      import('vuetify/locale').then(({ ru }) => ru),
    ])
    i18n.global.setLocaleMessage('ru', texts.default)
    vuetify.locale.messages.value.ru = components
  }
  if (requested !== locale) return // Another language was chosen while this one was loading.
  i18n.global.locale.value = vuetify.locale.current.value = locale
  document.documentElement.lang = locale
}

export async function chooseLocale(locale: Locale): Promise<void> {
  await setLocale(locale)
  storedLocale.value = locale
}

/** Uses the language chosen earlier, else the browser's if it is translated, else English. */
export async function initLocale(): Promise<void> {
  const locale = storedLocale.value || navigator.language.slice(0, 2)
  try {
    await setLocale(locale in locales ? (locale as Locale) : 'en')
  } catch {
    await setLocale('en') // The server cannot be reached.
  }
}
