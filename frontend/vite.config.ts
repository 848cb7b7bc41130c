import { fileURLToPath, URL } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { loadEnv } from 'vite'
import vuetify from 'vite-plugin-vuetify'
import { defineConfig } from 'vitest/config'

export default defineConfig(({ mode }) => {
  const env = loadEnv(mode, import.meta.dirname, 'VUE_APP_')
  const server = {
    // Where the rest of the stack is; scripts/native.sh sets it.
    proxy: { '/api': process.env.SERVER_HOST || 'http://localhost' },
    allowedHosts: [env.VUE_APP_DOMAIN_DEV, env.VUE_APP_DOMAIN_STAG, env.VUE_APP_DOMAIN_PROD].filter(
      Boolean,
    ),
  }
  return {
    plugins: [vue(), vuetify()],
    envPrefix: 'VUE_APP_',
    resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
    server,
    preview: server,
    test: { include: ['tests/unit/**/*.test.ts'], environment: 'happy-dom' },
  }
})
