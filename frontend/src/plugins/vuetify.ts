import { useLocalStorage } from '@vueuse/core'
import { watch } from 'vue'
import { createVuetify } from 'vuetify'
import { aliases, mdi } from 'vuetify/iconsets/mdi-svg'
import { defaults, themes } from '@/theme'

export const themeNames = ['system', 'light', 'dark'] as const

/** The user's choice. Vuetify itself stores only the resulting theme, light or dark. */
export const theme = useLocalStorage<(typeof themeNames)[number]>('theme', 'system')

export const vuetify = createVuetify({
  icons: { defaultSet: 'mdi', aliases, sets: { mdi } },
  theme: { defaultTheme: themeNames.includes(theme.value) ? theme.value : 'system', themes },
  // On narrower screens, the menu is hidden and lists are cards.
  display: { mobileBreakpoint: 'md' },
  defaults,
})

watch(theme, (name) => {
  void vuetify.theme.change(name)
  document.documentElement.dataset.theme = name // As public/theme.js does.
})
