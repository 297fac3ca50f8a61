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
  ['`service`, `account`', 'taken and not needed'],
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

Ids are those of the OCI distribution-spec. \`action\` is the right that a request needs in the repository of its path.
The others concern no single repository: \`enter\` is for everyone whom the registry lets in, \`catalog\` too, with the
scope \`${catalogScope}\` where a token is used, and \`none\` asks nobody who they are. \`<repository>\` is
\`<owner>/<image>[/<more>]\`, \`<reference>\` a tag or a digest. HEAD answers wherever GET does.

${formatTable(['id', 'method', 'path', 'action', 'what it does'], endpoints)}

Every reply carries \`Docker-Distribution-API-Version\`, \`X-Content-Type-Options\` and \`X-Request-Id\`. The request id
leads to the lines of the log.

## Order of checks

A request with several faults is answered for the first of these:

1. HTTP itself, the path (404) and the method (405).
2. The repository name, then credentials and rights: 401 where a login or another token would help, else 403.
3. What the path, the query and the headers say: digests, references, ranges, each by itself.
4. What the path names: an upload session that does not exist is 404, unless a closing PUT asks for a blob that the repository has
   (201: the answer to the first one was lost).
5. Where a chunk begins (416), then whether its headers agree on its length (400).
6. The body: its size (413, 400), then its digest, then its content (400).
7. \`If-Match\` and \`If-None-Match\` of a manifest (412): a tag that does not exist fails \`If-Match\`.
8. What the content names and the repository lacks (400), or whether what is to be deleted exists (404) and may go (405).

## Authentication

A request carries \`Authorization: Basic\` with name and password, \`Bearer\` with a token, or nothing. Rights are those
of the account at the time of the request; a token bounds them to its scopes and adds nothing.

A 401 names where to get a token, and which scopes the request needs. Only where a token came along it has \`error\` (it
has expired or was revoked, or it lacks a scope) and \`error_description\`, the message of the body in ASCII. That of
\`GET /v2/\` names Bearer alone, for the sake of Docker:

\`\`\`
WWW-Authenticate: Bearer realm="https://registry.example.com${tokenPath}",service="lading",scope="repository:acme/web:pull,push",error="insufficient_scope",error_description="user bob may not push to acme/web with this token: push below your own name, bob/, or ask acme or an administrator"
WWW-Authenticate: Basic realm="https://registry.example.com/v2/token"
\`\`\`

Basic without the right is answered with 403, whether the repository exists or not.

\`GET ${tokenPath}\` takes Basic, or nothing for an anonymous token, and these parameters:

${formatTable(['parameter', 'meaning'], tokenParameters)}

\`POST ${tokenPath}\` takes the form of OAuth 2 (RFC 6749), at most ${fixedHttpLimits.formBytes / 1024} KiB:

${formatTable(['field', 'meaning'], tokenFields)}

Both answer \`token\` and \`access_token\` (the same), \`expires_in\` (seconds), \`issued_at\`, and \`refresh_token\` where one
was asked for and the configuration has them; POST also \`scope\`, what was granted. A right that is missing is no
error: the token carries less. Errors of POST have \`error\` and \`error_description\` of OAuth 2 beside the body below.

## Errors

The body of every error is \`{"errors":[{"code":"...","message":"...","detail":...}]}\`. The message says what was
refused, why, and what to do. Match on the code.

${formatTable(['code', 'status', 'meaning'], codes)}

The same codes with another status:

${formatTable(['code', 'status', 'meaning'], kindRows)}
`,
)
