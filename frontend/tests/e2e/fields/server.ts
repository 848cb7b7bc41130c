import { fileURLToPath } from 'node:url'
import { createServer } from 'vite'
import { freePort } from '../backend'

const frontend = fileURLToPath(new URL('../../..', import.meta.url))

/** Serves the web app in this folder with Vite. Returns its address. */
export async function startFields() {
  const port = await freePort()
  const server = await createServer({
    root: fileURLToPath(new URL('.', import.meta.url)),
    configFile: `${frontend}/vite.config.ts`,
    envDir: frontend,
    // The development server of the stack uses the default folder.
    cacheDir: `${frontend}/node_modules/.vite-fields`,
    logLevel: 'error',
    server: {
      host: '127.0.0.1',
      port,
      strictPort: true,
      hmr: false,
      watch: null,
      fs: { allow: [frontend] },
    },
  })
  await server.listen()
  return { url: `http://127.0.0.1:${port}`, close: () => server.close() }
}
