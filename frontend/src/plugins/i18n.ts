import { useLocalStorage } from '@vueuse/core'
import { createI18n } from 'vue-i18n'
import en from '@/locales/en.json'
import { vuetify } from '@/plugins/vuetify'

export const locales = { en: 'English', ru: 'Русский' } as const
export type Locale = keyof typeof locales

const remembered = useLocalStorage<string>('locale', '')

const messages: Record<string, typeof en> = { en }
const locale: string = 'en'

const russianRules = new Intl.PluralRules('ru')

export const i18n = createI18n({
  legacy: false,
  locale,
  fallbackLocale: 'en',
  messages,
  // The forms for 1, 2 and 5, in this order.
  pluralRules: { ru: (count) => ['one', 'few', 'many'].indexOf(russianRules.select(count)) },
})

let wanted: Locale

/** Loads the language when it is first needed. Throws where the server can't be reached for it. */
export async function setLocale(locale: Locale): Promise<void> {
  wanted = locale
  if (locale === 'ru' && !i18n.global.availableLocales.includes('ru')) {
    const [texts, components] = await Promise.all([
      import('@/locales/ru.json'),
      import('vuetify/locale').then(({ ru }) => ru),
    ])
    i18n.global.setLocaleMessage('ru', texts.default)
    vuetify.locale.messages.value.ru = components
  }
  if (wanted !== locale) return // Another one was chosen meanwhile.
  i18n.global.locale.value = vuetify.locale.current.value = locale
  document.documentElement.lang = locale
}

export async function chooseLocale(locale: Locale): Promise<void> {
  await setLocale(locale)
  remembered.value = locale
}

/** The language chosen before, else the browser's, if there are translations. */
export async function startLocale(): Promise<void> {
  const locale = remembered.value || navigator.language.slice(0, 2)
  try {
    await setLocale(locale in locales ? (locale as Locale) : 'en')
  } catch {
    await setLocale('en') // The server cannot be reached.
  }
}
