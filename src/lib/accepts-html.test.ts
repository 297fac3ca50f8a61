import { expect, test } from 'vitest'
import { acceptsHtml } from './accepts-html.ts'

test.each([
  ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', true],
  ['TEXT/HTML', true],
  ['application/json;q=0.5, text/html', true],
  ['text/html;level=1;q=0.4', true],
  [undefined, false],
  ['', false],
  ['*/*', false],
  ['text/*', false],
  ['text/html;q=0', false],
  ['text/html;q=x', false],
  ['application/json, text/html;q=0.9', false],
  ['application/vnd.oci.image.manifest.v1+json', false],
])('Accept: %s asks for a page: %s', (accept, expected) => {
  expect(acceptsHtml(accept)).toBe(expected)
})
