import { join } from 'node:path'
import i18n from '@intlify/unplugin-vue-i18n/vite'
import vue from '@vitejs/plugin-vue'
import { loadEnv, type Plugin } from 'vite'
import vuetify from 'vite-plugin-vuetify'
import { defineConfig } from 'vitest/config'

// Moves the styles behind the splash screen of index.html, which need not wait for them.
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

/** Caches the built web app like nginx.conf: names in /assets/ contain a hash of the content. */
const cacheAssets: Plugin = {
  name: 'cache-assets',
  configurePreviewServer({ middlewares }) {
    const isAsset = (url = '') => url.startsWith('/assets/')
    middlewares.use(({ url }, response, next) => {
      if (isAsset(url)) response.setHeader('Cache-Control', 'public, max-age=31536000, immutable')
      next()
    })
    // Runs if no file was found. The next handler would send index.html.
    return () => {
      middlewares.use(({ originalUrl }, response, next) => {
        if (isAsset(originalUrl)) response.writeHead(404, { 'Cache-Control': 'no-cache' }).end()
        else next()
      })
    }
  },
}

/** Disables Vite's requests to open files in an editor: every website and user of the machine could send them. */
const noEditor: Plugin = {
  name: 'no-editor',
  configureServer({ middlewares }) {
    middlewares.use('/__open-in-editor', (_, response) => {
      response.writeHead(403).end()
    })
  },
}

/** Returns the host name in a setting such as Example.com:8080, or an empty list. */
const hostname = (domain = '') => URL.parse(`http://${domain}`)?.hostname

export default defineConfig(({ command, mode }) => {
  const { DOMAIN } = loadEnv(mode, join(import.meta.dirname, '..'), 'DOMAIN')
  const domains = Object.values(loadEnv(mode, import.meta.dirname, 'VUE_APP_DOMAIN_'))
  const server = {
    // Forwards the paths of the backend. scripts/native.sh sets SERVER_HOST.
    proxy: { '^/(api|docs|redoc)([/?]|$)': process.env.SERVER_HOST || 'http://localhost' },
    // In addition to localhost and IP addresses.
    allowedHosts: [DOMAIN, ...domains].flatMap((domain) => hostname(domain) ?? []),
  }
  return {
    plugins: [
      vue(),
      vuetify(),
      stylesLast,
      cacheAssets,
      noEditor,
      // The build compiles texts, and leaves the compiler out.
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
    // Vite would discover the components one by one, and reload for each.
    optimizeDeps: { exclude: ['vuetify'], entries: ['index.html', 'src/**/*.{ts,vue}'] },
    test: { include: ['tests/unit/**/*.test.ts'], environment: 'happy-dom' },
  }
})
