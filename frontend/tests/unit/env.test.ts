import { expect, test } from 'vitest'
import { originOf } from '@/env'

const page = { hostname: 'localhost', origin: 'http://localhost:8000' }

test.each([
  ['localhost', 'development', 'http://localhost:8000'],
  ['localhost:8080', 'development', 'http://localhost:8000'],
  ['', 'production', 'http://localhost:8000'],
  ['localhost.tiangolo.com', 'development', 'http://localhost.tiangolo.com'],
  ['stag.example.com', 'staging', 'https://stag.example.com'],
  ['example.com', 'production', 'https://example.com'],
])('a page at localhost:8000 with the domain %o in %s asks %s', (domain, environment, origin) => {
  expect(originOf(domain, environment, page)).toBe(origin)
})
