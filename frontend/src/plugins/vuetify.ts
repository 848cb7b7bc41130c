import 'vuetify/styles'

import { useLocalStorage } from '@vueuse/core'
import { watch } from 'vue'
import { useI18n } from 'vue-i18n'
import { createVuetify } from 'vuetify'
import { aliases, mdi } from 'vuetify/iconsets/mdi-svg'
import { createVueI18nAdapter } from 'vuetify/locale/adapters/vue-i18n'
import { i18n } from '@/plugins/i18n'

export const themes = ['system', 'light', 'dark'] as const

const theme = useLocalStorage<(typeof themes)[number]>('theme', 'system')

export const vuetify = createVuetify({
  icons: { defaultSet: 'mdi', aliases, sets: { mdi } },
  locale: { adapter: createVueI18nAdapter({ i18n, useI18n }) },
  theme: {
    defaultTheme: themes.includes(theme.value) ? theme.value : 'system',
    themes: {
      light: { colors: { primary: '#1565c0', error: '#b00020', bar: '#1565c0' } },
      dark: { colors: { primary: '#90caf9', error: '#f2b8b5', bar: '#1565c0' } },
    },
  },
  defaults: {
    VCard: { rounded: 'lg' },
    VTextField: { variant: 'outlined' },
    VTextarea: { variant: 'outlined' },
    VSelect: { variant: 'outlined' },
  },
})

watch(vuetify.theme.name, (name) => {
  theme.value = name as typeof theme.value
})
