import { expect, test } from 'vitest'
import { formatHomePage } from './home-page.ts'

function textOf(registryUrl: string): string {
  const { body } = formatHomePage({ version: '1.2.3', registryUrl, api: 'api/v1/' })
  return Buffer.from(body).toString()
}

test('escapes markup in the address', () => {
  const text = textOf('https://x"><script>alert(1)</script>')
  expect(text).not.toContain('<script>')
  expect(text).toContain('docker login x&quot;&gt;&lt;script&gt;')
})

test.each([
  ['http://registry.example.com', true],
  ['http://10.0.0.1:6400', true],
  ['http://localhost.example.com', true],
  ['https://registry.example.com', false],
  ['http://localhost', false],
  ['http://localhost:6400', false],
  ['http://127.0.0.1:6400', false],
  ['http://[::1]:6400', false],
])('%s needs an entry in insecure-registries: %s', (registryUrl, expected) => {
  expect(textOf(registryUrl).includes('insecure-registries')).toBe(expected)
})
