import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { extname, join, resolve } from 'node:path'
import { brotliCompressSync } from 'node:zlib'
import i18n from '@intlify/unplugin-vue-i18n/vite'
import vue from '@vitejs/plugin-vue'
import {
  loadEnv,
  type Plugin,
  type PreviewServer,
  type ProxyOptions,
  type Rolldown,
  type ViteDevServer,
} from 'vite'
import vuetify from 'vite-plugin-vuetify'
import { defineConfig } from 'vitest/config'

// Move style sheets to the end of the body, so that the splash screen appears before they are loaded.
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

/** Compresses scripts and styles once, as well as brotli can. Traefik, which compresses each response, needs 13 % more. */
const compressAssets: Plugin = {
  name: 'compress-assets',
  writeBundle({ dir }, bundle) {
    for (const file of Object.values(bundle)) {
      const source = file.type === 'chunk' ? file.code : file.source
      const path = join(dir!, `${file.fileName}.br`)
      if (/\.(js|css)$/.test(file.fileName)) writeFileSync(path, brotliCompressSync(source))
    }
  },
}

const TYPES: Record<string, string> = { '.js': 'text/javascript', '.css': 'text/css' }

/** Sends the files in /assets/ as nginx.conf does. They get a new name when they change. */
const sendAssets: Plugin = {
  name: 'send-assets',
  configurePreviewServer({ config, middlewares }) {
    const isAsset = (url = '') => url.startsWith('/assets/')
    middlewares.use((request, response, next) => {
      const { url = '', headers } = request
      if (isAsset(url)) {
        response.setHeader('Cache-Control', 'public, max-age=31536000, immutable')
        response.setHeader('Vary', 'Accept-Encoding')
        const type = TYPES[extname(url)]
        const path = join(resolve(config.root, config.build.outDir), `${url}.br`)
        if (type && /\bbr\b/.test(`${headers['accept-encoding']}`) && existsSync(path)) {
          request.url = `${url}.br`
          response.setHeader('Content-Encoding', 'br')
          response.setHeader('Content-Type', `${type};charset=utf-8`)
        }
      }
      next()
    })
    // Runs if the file does not exist. Without this, the next middleware would send index.html.
    return () => {
      middlewares.use(({ originalUrl }, response, next) => {
        if (isAsset(originalUrl)) response.writeHead(404, { 'Cache-Control': 'no-cache' }).end()
        else next()
      })
    }
  },
}

/** Sends the security headers of nginx.conf. */
function sendSecurityHeaders({ middlewares }: ViteDevServer | PreviewServer) {
  const nginx = readFileSync(join(import.meta.dirname, 'nginx.conf'), 'utf8')
  const always = [...nginx.matchAll(/add_header (\S+) "(.+)" always;/g)]
  const hsts = nginx.match(/https "(.+)";/)![1]!
  middlewares.use(({ headers }, response, next) => {
    for (const [, name, value] of always) response.setHeader(name!, value!)
    if (headers['x-forwarded-proto'] === 'https') {
      response.setHeader('Strict-Transport-Security', hsts)
    }
    next()
  })
}

const securityHeaders: Plugin = {
  name: 'security-headers',
  configureServer: sendSecurityHeaders,
  configurePreviewServer: sendSecurityHeaders,
}

/** Serves the paths below /.well-known as nginx.conf does. */
function serveWellKnown({ middlewares }: ViteDevServer | PreviewServer) {
  middlewares.use('/.well-known/', ({ url }, response) => {
    if (url === '/change-password') response.setHeader('Location', '/main/settings#password')
    response.writeHead(url === '/change-password' ? 302 : 404).end()
  })
}

const wellKnown: Plugin = {
  name: 'well-known',
  configureServer: serveWellKnown,
  configurePreviewServer: serveWellKnown,
}

const MANIFEST = 'manifest.webmanifest'

/** Creates the file with which browsers put the web app on a home screen. It has the name in frontend/.env. */
function manifest(name: string | undefined): Plugin {
  const source = JSON.stringify({
    name,
    id: '/',
    start_url: '/',
    display: 'standalone',
    background_color: '#f6f6f9',
    theme_color: '#f6f6f9',
    icons: [
      { src: '/favicon.svg', type: 'image/svg+xml', sizes: 'any' },
      { src: '/touch-icon.png', type: 'image/png', sizes: '512x512', purpose: 'maskable' },
    ],
  })
  return {
    name: 'manifest',
    generateBundle() {
      this.emitFile({ type: 'asset', fileName: MANIFEST, source })
    },
    configureServer({ middlewares }) {
      middlewares.use(`/${MANIFEST}`, (_, response) => {
        response.setHeader('Content-Type', 'application/manifest+json').end(source)
      })
    },
  }
}

/** Disables Vite's endpoint that opens an editor, because any website and any local user can call it. */
const noEditor: Plugin = {
  name: 'no-editor',
  configureServer({ middlewares }) {
    middlewares.use('/__open-in-editor', (_, response) => {
      response.writeHead(403).end()
    })
  },
}

const firstLoad = new Set<string>()

/** Whether static imports lead from main.ts to the module. */
function isFirstLoad(id: string, modules: Rolldown.ChunkingContext): boolean {
  const add = (module: string) => {
    if (firstLoad.has(module)) return
    firstLoad.add(module)
    modules.getModuleInfo(module)?.importedIds.forEach(add)
  }
  add(join(import.meta.dirname, 'src/main.ts'))
  return firstLoad.has(id)
}

/**
 * Puts the first load into two scripts, which are smaller and arrive sooner than many small ones.
 *
 * Browsers keep the libraries cached while only the web app's own code changes.
 */
const firstLoadGroups: Rolldown.CodeSplittingGroup[] = [
  {
    name: (id, modules) =>
      id.includes('node_modules') && isFirstLoad(id, modules) ? 'libraries' : null,
    priority: 1,
  },
  { name: (id, modules) => (isFirstLoad(id, modules) ? 'app' : null) },
]

/** Forwards requests to the stack. scripts/native.sh sets SERVER_HOST. */
const toStack = (target: string): ProxyOptions => ({
  target,
  changeOrigin: true, // The header Host: the stack accepts only its own host names.
  configure: (proxy) =>
    proxy.on('proxyReq', (request, { headers: { origin, host } }) => {
      if (origin === `http://${host}`) request.setHeader('Origin', target)
    }),
})

/** The host name in a setting such as Example.com:8080, as browsers send it; undefined if blank. */
const hostname = (domain = '') => URL.parse(`http://${domain}`)?.hostname

export default defineConfig(({ command, mode }) => {
  const { DOMAIN } = loadEnv(mode, join(import.meta.dirname, '..'), 'DOMAIN')
  const domains = Object.values(loadEnv(mode, import.meta.dirname, 'VUE_APP_DOMAIN_'))
  const server = {
    proxy: { '^/(api|docs|redoc)([/?]|$)': toStack(process.env.SERVER_HOST || 'http://localhost') },
    // Host names that are accepted in addition to localhost and IP addresses.
    allowedHosts: [DOMAIN, ...domains].flatMap((domain) => hostname(domain) ?? []),
  }
  return {
    plugins: [
      vue(),
      vuetify(),
      stylesLast,
      compressAssets,
      sendAssets,
      securityHeaders,
      wellKnown,
      manifest(loadEnv(mode, import.meta.dirname, 'VUE_APP_').VUE_APP_NAME),
      noEditor,
      // The build compiles the texts, so that the browser needs no message compiler.
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
    build: {
      rolldownOptions: {
        output: { codeSplitting: { groups: firstLoadGroups } },
        // Icons are constants: puts each into the scripts that use it.
        optimization: { inlineConst: { mode: 'all', pass: 1 } },
      },
    },
    // Vite would discover Vuetify's components one by one and reload the web app each time.
    optimizeDeps: { exclude: ['vuetify'], entries: ['index.html', 'src/**/*.{ts,vue}'] },
    test: {
      include: ['tests/unit/**/*.test.ts'],
      environment: 'happy-dom',
      // Some tests start a server, which takes long on a busy machine.
      testTimeout: 60_000,
    },
  }
})
