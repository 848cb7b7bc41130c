import { defineConfig } from '@hey-api/openapi-ts'

export default defineConfig({
  // Written by backend/app/scripts/export_openapi.py.
  input: 'openapi.json',
  output: 'src/client',
  plugins: [
    { name: '@hey-api/client-fetch', throwOnError: true },
    '@hey-api/typescript',
    '@hey-api/sdk',
    // The forms take their limits from these.
    '@hey-api/schemas',
    // The forms call the SDK's functions themselves, so only queries are generated.
    { name: '@tanstack/vue-query', infiniteQueryOptions: false, mutationOptions: false },
  ],
})
