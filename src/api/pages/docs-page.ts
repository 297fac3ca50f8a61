/** The reference of the API for people: Swagger UI on the OpenAPI document, and what the codes of refusals mean. */
import { hash } from 'node:crypto'
import { escapeHtml, formatHtml, styleSource } from './html.ts'
import { createPage, htmlHeaders } from './page.ts'
import type { Page } from './page.ts'
import type { Viewer } from './viewer.ts'

const codes = [
  ['UNAUTHORIZED', 'Credentials are missing or not valid.'],
  [
    'DENIED',
    'The caller may not do this. With status 409 something that exists prevents the change, with 412 it changed in the meantime.',
  ],
  ['NAME_INVALID', 'A name does not follow the grammar, or is reserved.'],
  ['NAME_UNKNOWN', 'Nothing of that name exists that the caller may see.'],
  ['MANIFEST_UNKNOWN', 'The repository has no such manifest or tag.'],
  ['UNSUPPORTED', 'The request cannot be understood, or no endpoint answers it.'],
  ['PAGINATION_NUMBER_INVALID', 'The position of a page is not valid.'],
  ['SIZE_INVALID', 'The body is too large, or does not arrive.'],
  ['TOOMANYREQUESTS', 'Too many requests; Retry-After says when to try again.'],
  ['UNAVAILABLE', 'The database or the store cannot be reached, or has no space.'],
  ['UNKNOWN', 'A fault of the registry; the request id leads to its log.'],
] as const

const start = `// A refusal links to its code, which is in a closed list. Swagger UI writes #DENIED as #/DENIED.
const code = document.getElementById(location.hash.replace(/^#[/]?/, ''))
if (code !== null) {
  code.closest('details')?.setAttribute('open', '')
  code.scrollIntoView()
}
globalThis.ui = SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#viewer',
  deepLinking: true,
  docExpansion: 'list',
  defaultModelsExpandDepth: 0,
  filter: true,
  validatorUrl: null,
})`

/**
 * The policy admits these two scripts by their hash and no other, so that nothing that is pushed to this registry can run in the
 * page. It may connect to this registry alone.
 */
function policyOf(viewer: Viewer | undefined): string {
  if (viewer === undefined) return `style-src ${styleSource}; img-src data:`
  return [
    `script-src '${viewer.script.integrity}' 'sha256-${hash('sha256', start, 'base64')}'`,
    `style-src 'self' ${styleSource}`,
    `img-src data:`,
    `connect-src 'self'`,
  ].join('; ')
}

/** Without a viewer the page says how to get one. */
export function createDocsPage(viewer: Viewer | undefined): Page {
  const meanings = codes.map(
    ([code, meaning]) => `<dt id="${code}"><code>${code}</code></dt><dd>${escapeHtml(meaning)}</dd>`,
  )
  const body = `<header>
<p><a href="../../">This registry</a> · <a href="openapi.json">openapi.json</a>, the same for programs</p>
<details><summary>Codes of refusals</summary><dl>
${meanings.join('\n')}
</dl></details>
</header>
${viewer === undefined ? noViewer : formatViewer(viewer)}`
  return createPage({
    type: 'text/html; charset=utf-8',
    body: formatHtml({ title: 'Lading management API', head: formatLinks(viewer), body }),
    headers: htmlHeaders(policyOf(viewer)),
  })
}

const noViewer = `<main><h1>Lading management API</h1><p>The viewer is not installed. Install the npm package of Lading, or run <code>npm ci</code> in the checkout.
<a href="openapi.json">openapi.json</a> has the whole reference.</p></main>`

function formatLinks(viewer: Viewer | undefined): string {
  if (viewer === undefined) return ''
  const { name, integrity } = viewer.style
  return `<link rel="stylesheet" href="docs/${name}" integrity="${integrity}">`
}

function formatViewer({ script }: Viewer): string {
  return `<noscript><main><p>The reference needs JavaScript. <a href="openapi.json">openapi.json</a> has the same content.</p></main></noscript>
<div id="viewer"></div>
<script src="docs/${script.name}" integrity="${script.integrity}"></script>
<script>${start}</script>`
}
