import { join } from 'node:path'
import i18n from '@intlify/unplugin-vue-i18n/vite'
import vue from '@vitejs/plugin-vue'
import { loadEnv, type Plugin } from 'vite'
import vuetify from 'vite-plugin-vuetify'
import { defineConfig } from 'vitest/config'

// The splash of index.html need not wait for the styles: they stand behind it.
const stylesLast: Plugin = {
  name: 'styles-last',
  transformIndexHtml: {
    order: 'post',
    handler(html) {
      const links = html.match(/^ *<link rel="stylesheet".*\n/gm) ?? []
      for (const link of links) html = html.replace(link, '')
      return html.replace('  </body>', () => `${links.join('')}  </body>`)
    },
  },
}

export default defineConfig(({ command, mode }) => {
  const env = loadEnv(mode, import.meta.dirname, 'VUE_APP_')
  const server = {
    // Where the rest of the stack is; scripts/native.sh sets it. /api-keys is a path of the frontend.
    proxy: { '^/api([/?]|$)': process.env.SERVER_HOST || 'http://localhost' },
    // The names that it answers to, besides localhost: those of .env.
    allowedHosts: Object.keys(env)
      .filter((name) => name.startsWith('VUE_APP_DOMAIN_'))
      .map((name) => env[name]!.split(':')[0]!),
  }
  return {
    plugins: [
      vue(),
      vuetify(),
      stylesLast,
      // In the build, texts are compiled, and the compiler is not sent along.
      i18n({
        include: join(import.meta.dirname, 'src/locales/{en,ru}.json'),
        dropMessageCompiler: command === 'build',
      }),
    ],
    define: { __VUE_OPTIONS_API__: false },
    envPrefix: 'VUE_APP_',
    resolve: { alias: { '@': join(import.meta.dirname, 'src') } },
    server,
    preview: server,
    // Its components are found one by one, and each find would load the page anew.
    optimizeDeps: { exclude: ['vuetify'], entries: ['index.html', 'src/**/*.{ts,vue}'] },
    test: { include: ['tests/unit/**/*.test.ts'], environment: 'happy-dom' },
  }
})
