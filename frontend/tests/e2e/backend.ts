import { spawn } from 'node:child_process'
import { createServer, type AddressInfo } from 'node:net'
import { expect } from './fixtures'

const FOLDER = new URL('../../../backend/app', import.meta.url)

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** Starts another backend on the stack's database, with additional settings. */
export async function startBackend(settings: Record<string, string>) {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const backend = spawn('uvicorn', ['app.main:app', '--port', String(port)], {
    cwd: FOLDER,
    env: { ...process.env, ...settings },
    stdio: 'ignore',
  })
  const ended = new Promise((resolve) => backend.once('exit', resolve))
  await expect(async () => {
    expect((await fetch(`${url}/api/v1/utils/health/live`)).ok).toBe(true)
  }).toPass({ timeout: 20_000 })
  return {
    url,
    async [Symbol.asyncDispose]() {
      backend.kill()
      await ended
    },
  }
}
