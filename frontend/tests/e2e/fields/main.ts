/** A web app for the tests: a form and a list with every type of column, which no view of the app has. */

import 'vuetify/styles/core'
import 'vuetify/styles/utilities'
import '@/theme.css'

import { VueQueryPlugin } from '@tanstack/vue-query'
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import { createRouter, createWebHistory } from 'vue-router'
import { i18n, initLocale, setLocale } from '@/plugins/i18n'
import { queryClient } from '@/plugins/query'
import { vuetify } from '@/plugins/vuetify'
import App from './App.vue'
import Form from './Form.vue'
import List from './List.vue'
import { texts } from './data'

await setLocale('ru')
i18n.global.mergeLocaleMessage('en', texts.en)
i18n.global.mergeLocaleMessage('ru', texts.ru)
await initLocale()
const routes = [
  { path: '/', component: Form },
  { path: '/list', component: List },
]
createApp(App)
  .use(createPinia())
  .use(i18n)
  .use(vuetify)
  .use(VueQueryPlugin, { queryClient })
  .use(createRouter({ history: createWebHistory(), routes }))
  .mount('#app')
