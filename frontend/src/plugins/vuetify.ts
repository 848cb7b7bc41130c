import { useLocalStorage } from '@vueuse/core'
import { watch } from 'vue'
import { createVuetify } from 'vuetify'
import { aliases, mdi } from 'vuetify/iconsets/mdi-svg'

export const themes = ['system', 'light', 'dark'] as const

/** The user's choice. Vuetify itself stores only the resulting theme, light or dark. */
export const theme = useLocalStorage<(typeof themes)[number]>('theme', 'system')

export const vuetify = createVuetify({
  icons: { defaultSet: 'mdi', aliases, sets: { mdi } },
  theme: {
    defaultTheme: themes.includes(theme.value) ? theme.value : 'system',
    themes: {
      light: {
        colors: { primary: '#1565c0', success: '#2e7d32', error: '#b00020', bar: '#1565c0' },
        // With Vuetify's default, grey text has less contrast than WCAG requires.
        variables: { 'medium-emphasis-opacity': 0.75 },
      },
      dark: {
        colors: { primary: '#90caf9', success: '#81c784', error: '#f2b8b5', bar: '#1565c0' },
      },
    },
  },
  defaults: {
    VCard: { rounded: 'lg' },
    VTextField: { variant: 'outlined' },
    VTextarea: { variant: 'outlined' },
    VSelect: { variant: 'outlined' },
    VAutocomplete: { variant: 'outlined' },
  },
})

watch(theme, (name) => vuetify.theme.change(name))
