import { defineConfig } from '@hey-api/openapi-ts'

export default defineConfig({
  // Written by backend/app/scripts/export_openapi.py.
  input: 'openapi.json',
  output: 'src/client',
  plugins: [
    { name: '@hey-api/client-fetch', throwOnError: true },
    '@hey-api/typescript',
    '@hey-api/sdk',
    // Forms derive their validation rules from the schemas.
    '@hey-api/schemas',
    // Forms call the SDK functions directly, so mutations are not needed.
    { name: '@tanstack/vue-query', infiniteQueryOptions: false, mutationOptions: false },
  ],
})
