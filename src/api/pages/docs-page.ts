/** The OpenAPI document for people: one page without scripts, so that nothing of it can act in a reader's name. */
import { hash } from 'node:crypto'
import type { ApiDocument } from './openapi-document.ts'

const style = `
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a; background: #fff }
summary { cursor: pointer; padding: .25rem 0 } code, pre { font: 14px/1.4 ui-monospace, monospace }
pre { background: #f2f2f2; padding: .75rem; overflow-x: auto } .method { display: inline-block; min-width: 4.5rem; font-weight: 600 }
@media (prefers-color-scheme: dark) { body { color: #eee; background: #161616 } pre { background: #262626 } a { color: #9cf } }
`

const styleHash = hash('sha256', style, 'base64')

export const docsHeaders = [
  'Content-Security-Policy',
  `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  'Referrer-Policy',
  'no-referrer',
]

const codes = [
  ['UNAUTHORIZED', 'Credentials are missing or do not hold.'],
  [
    'DENIED',
    'The caller may not do this, or what is there is in the way (409), or it was changed since (412).',
  ],
  ['NAME_INVALID', 'A name does not follow the grammar, or is reserved.'],
  ['NAME_UNKNOWN', 'There is nothing of that name that the caller may see.'],
  ['UNSUPPORTED', 'The request cannot be understood, or nothing here answers it.'],
  ['SIZE_INVALID', 'The body is too large.'],
  ['TOOMANYREQUESTS', 'Too often; Retry-After says when to come back.'],
  ['UNAVAILABLE', 'Database or store cannot be reached, or have no space.'],
  ['UNKNOWN', 'A fault of the registry; the request id leads to its log.'],
] as const

const methods = ['get', 'post', 'put', 'patch', 'delete'] as const

export function formatDocsPage({ paths = {}, info, tags = [], components }: ApiDocument): string {
  const sections = tags.map(({ name, description = '' }) => {
    const rows = Object.entries(paths).flatMap(([path, item]) =>
      methods.flatMap((method) => {
        const operation = item?.[method]
        return operation?.tags?.includes(name) === true ? [formatOperation(method, path, operation)] : []
      }),
    )
    return `<h2>${escape(name)}</h2><p>${escape(description)}</p>${rows.join('')}`
  })
  const schemas = Object.entries(components?.schemas ?? {}).map(([name, schema]) => formatJson(name, schema))
  return [
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escape(info.title)}</title>`,
    `<meta name="viewport" content="width=device-width"><style>${style}</style></head><body>`,
    `<h1>${escape(info.title)}</h1><p>${escape(info.description ?? '')}</p>`,
    '<p>For programs: <a href="openapi.json">openapi.json</a>. Paths are below <code>/api/v1</code>.</p>',
    ...sections,
    `<h2>shapes</h2>${schemas.join('')}`,
    '<h2>codes</h2><dl>',
    ...codes.map(
      ([code, meaning]) => `<dt id="${code}"><code>${code}</code></dt><dd>${escape(meaning)}</dd>`,
    ),
    '</dl></body></html>',
  ].join('\n')
}

interface Operation {
  readonly operationId?: string
  readonly summary?: string
  readonly description?: string
}

function formatOperation(method: string, path: string, operation: Operation): string {
  const { summary = '', description = '', operationId = '', ...rest } = operation
  const head = `<span class="method">${method.toUpperCase()}</span><code>${escape(path)}</code> ${escape(summary)}`
  return `<details id="${escape(operationId)}"><summary>${head}</summary><p>${escape(description)}</p><pre>${escape(JSON.stringify(rest, undefined, 2))}</pre></details>`
}

function formatJson(name: string, value: unknown): string {
  return `<details><summary><code>${escape(name)}</code></summary><pre>${escape(JSON.stringify(value, undefined, 2))}</pre></details>`
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => escapes[character] ?? character)
}
