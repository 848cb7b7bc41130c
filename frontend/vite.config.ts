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

/** Caches the built web app as nginx.conf does: a file in /assets/ has another name after each change. */
const cacheAssets: Plugin = {
  name: 'cache-assets',
  configurePreviewServer({ middlewares }) {
    const isAsset = (url = '') => url.startsWith('/assets/')
    middlewares.use(({ url }, response, next) => {
      if (isAsset(url)) response.setHeader('Cache-Control', 'public, max-age=31536000, immutable')
      next()
    })
    // Runs after the files were looked up. What comes next would send index.html.
    return () => {
      middlewares.use(({ originalUrl }, response, next) => {
        if (isAsset(originalUrl)) response.writeHead(404, { 'Cache-Control': 'no-cache' }).end()
        else next()
      })
    }
  },
}

/** Rejects Vite's requests to open a file in an editor: every website and every user of the machine can send them. */
const noEditor: Plugin = {
  name: 'no-editor',
  configureServer({ middlewares }) {
    middlewares.use('/__open-in-editor', (_, response) => {
      response.writeHead(403).end()
    })
  },
}

/** The name in a setting such as Example.com:8080, as browsers send it; none for a blank setting. */
const hostname = (domain = '') => URL.parse(`http://${domain}`)?.hostname

export default defineConfig(({ command, mode }) => {
  const { DOMAIN } = loadEnv(mode, join(import.meta.dirname, '..'), 'DOMAIN')
  const domains = Object.values(loadEnv(mode, import.meta.dirname, 'VUE_APP_DOMAIN_'))
  const server = {
    // The paths of the backend go to the rest of the stack; scripts/native.sh says where that is.
    proxy: { '^/(api|docs|redoc)([/?]|$)': process.env.SERVER_HOST || 'http://localhost' },
    // The names that it accepts, besides localhost and IP addresses.
    allowedHosts: [DOMAIN, ...domains].flatMap((domain) => hostname(domain) ?? []),
  }
  return {
    plugins: [
      vue(),
      vuetify(),
      stylesLast,
      cacheAssets,
      noEditor,
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
    // Vite would find its components one by one and reload the web app for each.
    optimizeDeps: { exclude: ['vuetify'], entries: ['index.html', 'src/**/*.{ts,vue}'] },
    test: { include: ['tests/unit/**/*.test.ts'], environment: 'happy-dom' },
  }
})
