/** Writes `docs/api.md` from the route table and the error table. */
import { errorTable } from '../src/edge/error-table.ts'
import { fixedHttpLimits } from '../src/http/limits.ts'
import { codeOfKind, errorCodes } from '../src/oci/error-code.ts'
import type { ErrorCode, ErrorKind } from '../src/oci/error-code.ts'
import { routes } from '../src/http/routes.ts'
import { tokenPath } from '../src/http/token-route.ts'
import { generateFile } from './generated-file.ts'

function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows]
  return lines
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`)
    .join('\n')
}

const endpoints = routes.map(({ id, method, path, action, summary }) => [
  id,
  method,
  `\`${path}\``,
  action,
  summary,
])

const catalogScope = 'registry:catalog:*'

const tokenParameters = [
  [
    '`scope`',
    `\`repository:<repository>:<actions>\` with any of \`pull\`, \`push\`, \`delete\`, or \`*\` for all; \`${catalogScope}\`. Repeated, or several separated by spaces.`,
  ],
  ['`offline_token`', '`true` asks for a refresh token'],
  ['`client_id`', 'a name for the list of refresh tokens'],
  ['`service`, `account`', 'accepted and ignored'],
]

const tokenFields = [
  ['`grant_type`', '`password` or `refresh_token`'],
  ['`username`, `password`', 'with `password`'],
  ['`refresh_token`', 'with `refresh_token`'],
  ['`scope`', 'as above'],
  ['`access_type`', '`offline` asks for a refresh token'],
  ['`client_id`, `service`', 'as above'],
]

const codes = errorCodes.map((code) => formatRow(code, errorTable[code]))

const kinds = Object.keys(codeOfKind) as ErrorKind[]
const kindRows = kinds
  .toSorted((a, b) => errorTable[a].status - errorTable[b].status)
  .map((kind) => formatRow(codeOfKind[kind], errorTable[kind]))

function formatRow(code: ErrorCode, { status, summary }: { status: number; summary: string }): string[] {
  return [code, String(status), summary]
}

generateFile(
  'docs/api.md',
  `# HTTP API

Generated from \`src/http/routes.ts\` and \`src/edge/error-table.ts\` by \`npm run docs\`.

## Endpoints

The ids are those of the OCI distribution-spec. \`pull\`, \`push\` and \`delete\` in the column \`action\` are the right that
a request needs in the repository of its path. The other actions do not concern a single repository: \`enter\` allows
everyone who may use the registry, \`catalog\` does too, but a token needs the scope \`${catalogScope}\`, and \`none\`
requires no authentication. \`<repository>\` is \`<owner>/<image>[/<more>]\`, and \`<reference>\` is a tag or a digest. HEAD
works for every path that supports GET.

${formatTable(['id', 'method', 'path', 'action', 'what it does'], endpoints)}

Every reply carries \`Docker-Distribution-API-Version\`, \`X-Content-Type-Options\` and \`X-Request-Id\`. The log
lines of a request contain its id.

## Order of checks

Lading makes these checks in order, and answers a request with the error of the first check that fails:

1. HTTP syntax, the path (404) and the method (405).
2. The repository name, then credentials and rights: 401 if a login or another token would help, otherwise 403.
3. The values in the path, the query and the headers: each digest, reference and range by itself.
4. The object that the path names: if an upload session does not exist, the answer is 404. The exception is a closing PUT for a blob
   that the repository already has: the answer is 201, because the client repeats a PUT whose answer was lost.
5. The offset of a chunk (416), then whether its headers agree on its length (400).
6. The body: its size (413, 400), then its digest, then its content (400).
7. \`If-Match\` and \`If-None-Match\` of a manifest (412): a tag that does not exist fails \`If-Match\`.
8. For a push, whether the repository has the content that a manifest names (400). For a deletion, whether the object exists (404)
   and may be deleted (405).

## Authentication

A request carries \`Authorization: Basic\` with name and password, \`Bearer\` with a token, or no credentials. The rights
are those of the account at the time of the request. A token limits them to its scopes and adds none.

A 401 names where to get a token, and which scopes the request needs. If the request carried
a token, the challenge also has \`error\` (the token has expired, was revoked, or lacks a scope) and \`error_description\`,
the message of the body in ASCII. The challenge of \`GET /v2/\` names only Bearer, because Docker needs this:

\`\`\`
WWW-Authenticate: Bearer realm="https://registry.example.com${tokenPath}",service="lading",scope="repository:acme/web:pull,push",error="insufficient_scope",error_description="user bob may not push to acme/web with this token: push below your own name, bob/, or ask acme or an administrator"
WWW-Authenticate: Basic realm="https://registry.example.com/v2/token"
\`\`\`

If an account that uses Basic lacks the right, the answer is 403, whether the repository exists or not.

\`GET ${tokenPath}\` accepts Basic, or no credentials for an anonymous token, and these parameters:

${formatTable(['parameter', 'meaning'], tokenParameters)}

\`POST ${tokenPath}\` accepts an OAuth 2 form (RFC 6749) of at most ${fixedHttpLimits.formBytes / 1024} KiB:

${formatTable(['field', 'meaning'], tokenFields)}

Both reply with \`token\` and \`access_token\` (the same value), \`expires_in\` (seconds) and \`issued_at\`. If the client asked
for a refresh token and the configuration allows them, the reply has \`refresh_token\` too. The reply to POST also has
\`scope\`, the granted scopes. A missing right is not an error: the token then has fewer actions. Errors of POST have the
OAuth 2 fields \`error\` and \`error_description\` in addition to the body below.

## Errors

The body of every error is \`{"errors":[{"code":"...","message":"...","detail":...}]}\`. The message says what was
refused, why, and what to do. Programs should check the code, not the message.

${formatTable(['code', 'status', 'meaning'], codes)}

The same codes with another status:

${formatTable(['code', 'status', 'meaning'], kindRows)}
`,
)
