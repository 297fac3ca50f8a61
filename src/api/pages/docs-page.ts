/** The reference of the API as a page: Swagger UI for the OpenAPI document, and the meanings of the error codes. */
import { hash } from 'node:crypto'
import { escapeHtml, formatHtml, styleSource } from './html.ts'
import { createPage, htmlHeaders } from './page.ts'
import type { Page } from './page.ts'
import type { Viewer } from './viewer.ts'

const codes = [
  ['UNAUTHORIZED', 'Credentials are missing or not valid.'],
  [
    'DENIED',
    'The caller may not do this. With status 409, the change conflicts with existing data. With status 412, the resource has changed since it was read.',
  ],
  ['NAME_INVALID', 'A name does not match the grammar, or is reserved.'],
  ['NAME_UNKNOWN', 'Nothing with this name exists, or the caller may not see it.'],
  ['MANIFEST_UNKNOWN', 'The repository has no such manifest or tag.'],
  ['UNSUPPORTED', 'The request cannot be understood, or no endpoint answers it.'],
  ['PAGINATION_NUMBER_INVALID', 'The position of the page is not valid.'],
  ['SIZE_INVALID', 'The body is too large or did not arrive in time.'],
  ['TOOMANYREQUESTS', 'Too many requests. Retry-After says when to try again.'],
  ['UNAVAILABLE', 'The database or the blob store cannot be reached, or has no space left.'],
  ['UNKNOWN', 'An internal error. Find the cause in the log of the registry by the request id.'],
] as const

const start = `// Problems link to their code, which is in a collapsed list. Swagger UI writes #DENIED as #/DENIED.
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
 * The policy admits only these two scripts, by their hash, so that no content pushed to this registry can run in the page. The
 * page may connect to this registry only.
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

/** Without a viewer, the page says how to install one. */
export function createDocsPage(viewer: Viewer | undefined): Page {
  const meanings = codes.map(
    ([code, meaning]) => `<dt id="${code}"><code>${code}</code></dt><dd>${escapeHtml(meaning)}</dd>`,
  )
  const body = `<header>
<p><a href="../../">This registry</a> · <a href="openapi.json">openapi.json</a> for programs</p>
<details><summary>Error codes</summary><dl>
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

const noViewer = `<main><h1>Lading management API</h1><p>The viewer is not installed. Install the npm package of Lading, or run <code>npm ci</code> in its checkout.
<a href="openapi.json">openapi.json</a> contains the whole reference.</p></main>`

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
