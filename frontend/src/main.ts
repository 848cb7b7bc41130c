// Must be the first import, because the router would copy the token into history.state.
import '@/mailedToken'
import 'vuetify/styles/core'
import 'vuetify/styles/utilities'
import '@fontsource-variable/roboto/wght.css'
import '@/theme.css'

import { VueQueryPlugin } from '@tanstack/vue-query'
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from '@/App.vue'
import { i18n, initLocale } from '@/plugins/i18n'
import { queryClient } from '@/plugins/query'
import { vuetify } from '@/plugins/vuetify'
import { router } from '@/router'

await initLocale()
createApp(App)
  .use(createPinia())
  .use(i18n)
  .use(vuetify)
  .use(VueQueryPlugin, { queryClient })
  .use(router)
  .mount('#app')
