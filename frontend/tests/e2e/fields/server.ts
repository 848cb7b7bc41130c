import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, type InlineConfig, preview } from 'vite'
import { freePort } from '../backend'

const root = import.meta.dirname
const frontend = join(root, '../../..')

/** Builds and serves the web app in this folder. Returns its address. */
export async function startFields() {
  const outDir = await mkdtemp(join(tmpdir(), 'fields-'))
  const port = await freePort()
  const config: InlineConfig = {
    root,
    configFile: join(frontend, 'vite.config.ts'),
    envDir: frontend,
    logLevel: 'error',
    build: { outDir },
    preview: { host: '127.0.0.1', port, strictPort: true },
  }
  await build(config)
  const server = await preview(config)
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      await server.close()
      await rm(outDir, { recursive: true })
    },
  }
}
