/** Writes `docs/api.md` from the route table and the error table. */
import { exceptions, replies } from '../src/http/error-reply.ts'
import { routes } from '../src/http/routes.ts'
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

const codes = Object.entries(replies).map(([code, { status, summary }]) => [code, String(status), summary])

const exceptionRows = [...exceptions.values()]
  .sort((a, b) => a.status - b.status)
  .map(({ code, status, summary }) => [code, String(status), summary])

generateFile(
  'docs/api.md',
  `# HTTP API

Generated from \`src/http/routes.ts\` and \`src/http/error-reply.ts\` by \`npm run docs\`.

## Endpoints

Ids are those of the OCI distribution-spec. \`action\` is the right that a request needs in the repository of its path;
\`none\` and \`catalog\` concern no single repository. \`<repository>\` is \`<owner>/<image>[/<more>]\`, \`<reference>\` a
tag or a digest. HEAD answers wherever GET does.

${formatTable(['id', 'method', 'path', 'action', 'what it does'], endpoints)}

Every reply carries \`Docker-Distribution-API-Version\`, \`X-Content-Type-Options\` and \`X-Request-Id\`. The request id
leads to the lines of the log.

## Errors

The body of every error is \`{"errors":[{"code":"...","message":"...","detail":...}]}\`. The message says what was
refused, why, and what to do. Match on the code.

${formatTable(['code', 'status', 'meaning'], codes)}

The same codes with another status:

${formatTable(['code', 'status', 'meaning'], exceptionRows)}
`,
)
