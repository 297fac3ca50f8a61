/** The OpenAPI document, made from the rows that are served, so that it describes what the API checks. */
import { OpenAPIRegistry, OpenApiGeneratorV31 } from '@asteasolutions/zod-to-openapi'
import { cookieName } from '../../identity/sessions/session-cookie.ts'
import type { ErrorStatus } from '../../edge/error-table.ts'
import type { Gives } from '../../edge/need.ts'
import type { Endpoint } from '../endpoint.ts'
import { endpoints } from '../endpoints.ts'
import { apiPrefix } from '../paths.ts'
import { problemSchema, problemType, titles } from '../errors/problem.ts'
import { z } from '../zod.ts'

export type ApiDocument = ReturnType<OpenApiGeneratorV31['generateDocument']>
type RouteConfig = Parameters<OpenAPIRegistry['registerPath']>[0]
type Responses = RouteConfig['responses']
type Headers = Record<string, { description: string; schema: { type: 'string' } }>

const credentials = [{ basic: [] }, { bearer: [] }, { session: [] }]

const conditions = z.object({
  'if-match': z.string().optional().openapi({
    example: '*',
    description: 'The entity tag of the last read. The change is refused if the resource has changed since.',
  }),
})

const tags = [
  ['me', 'The account of the caller.'],
  ['session', 'Browser sessions and registration.'],
  ['users', 'User accounts.'],
  ['owners', 'Users and organizations. An owner is the first component of a repository name.'],
  ['teams', 'Members of organizations and their teams.'],
  ['rights', 'Roles, grants, and explanations of access.'],
  ['robots', 'Accounts for machines. Each belongs to an owner.'],
  ['repositories', 'Repositories and their settings.'],
  ['audit', 'The record of who did what.'],
] as const

/** Makes the document at each call; `pages.ts` keeps the result. */
export function describeApi(): ApiDocument {
  const registry = new OpenAPIRegistry()
  registry.registerComponent('securitySchemes', 'basic', { type: 'http', scheme: 'basic' })
  registry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    description: 'An access token.',
  })
  registry.registerComponent('securitySchemes', 'session', {
    type: 'apiKey',
    in: 'cookie',
    name: cookieName,
    description:
      'The session cookie of a browser. Changes also need the header X-CSRF-Token with the token from the login.',
  })
  for (const endpoint of endpoints) registry.registerPath(toRoute(endpoint))
  return new OpenApiGeneratorV31(registry.definitions).generateDocument({
    openapi: '3.1.0',
    info: {
      title: 'Lading management API',
      version: '1',
      license: { name: 'Apache-2.0' },
      description:
        'Manages the owners, users, rights, credentials and the audit of a registry. Lists have pages: follow the `Link` header. Errors are problem details (RFC 9457).',
    },
    servers: [{ url: apiPrefix }],
    tags: tags.map(([name, description]) => ({ name, description })),
  })
}

function toRoute(endpoint: Endpoint): RouteConfig {
  const { id, method, path, tag, summary, access, gives, params, query, body, current } = endpoint
  return {
    method: method.toLowerCase() as Lowercase<Endpoint['method']>,
    path,
    operationId: id,
    tags: [tag],
    summary,
    description: `Access: \`${access}\`.${gives === undefined ? '' : ` ${credentialsOf[gives]}`}`,
    ...(access === 'public' ? { security: [] } : { security: credentials }),
    request: {
      ...(hasFields(params) && { params }),
      ...(hasFields(query) && { query }),
      ...(current !== undefined && { headers: conditions }),
      ...(body !== undefined && {
        body: { required: true, content: { 'application/json': { schema: body } } },
      }),
    },
    responses: { ...describeSuccess(endpoint), ...describeProblems(endpoint) },
  }
}

function hasFields(schema: z.ZodObject): boolean {
  return Object.keys(schema.shape).length > 0
}

function describeSuccess(endpoint: Endpoint): Responses {
  const { status, result, tagged, lines } = endpoint
  const type = lines === true ? 'application/jsonl' : 'application/json'
  const content = result !== undefined && status !== 204 ? { content: { [type]: { schema: result } } } : {}
  const headers = describeHeaders(endpoint)
  const description = { 200: 'Done.', 201: 'Created.', 204: 'Done. The reply has no content.' }[status]
  const success = { description, ...content, ...(headers !== undefined && { headers }) }
  if (tagged !== true) return { [String(status)]: success }
  const unchanged = { description: 'The entity tag in If-None-Match is still current.' }
  return { [String(status)]: success, '304': unchanged }
}

function describeHeaders({ status, tagged, query }: Endpoint): Headers | undefined {
  const text = { type: 'string' } as const
  if (tagged === true)
    return { ETag: { description: 'The entity tag, for If-Match of a change.', schema: text } }
  if ('after' in query.shape)
    return { Link: { description: 'A link to the next page; absent on the last page.', schema: text } }
  if (status === 201) return { Location: { description: 'The path of the created resource.', schema: text } }
  return undefined
}

function describeProblems(endpoint: Endpoint): Responses {
  const content = { [problemType]: { schema: problemSchema } }
  return Object.fromEntries(
    problemsOf(endpoint).map((status) => [String(status), { description: titles[status], content }]),
  )
}

const credentialsOf: Readonly<Record<Gives, string>> = {
  access: 'Needs a password or a session: an access token cannot give access.',
  rotation: 'Needs a password, a session, or the access token that is rotated.',
}

/** Returns the error statuses of the row, of its access and of its input, and the statuses that any request can get. */
function problemsOf({ access, gives, method, body, current, problems = [] }: Endpoint): ErrorStatus[] {
  const statuses = new Set<ErrorStatus>([400, 401, 429, 500, 503, ...problems])
  if (method !== 'GET') statuses.add(403).add(507)
  if ((access !== 'public' && access !== 'user') || gives !== undefined) statuses.add(403)
  if (body !== undefined) statuses.add(408).add(413).add(415)
  if (current !== undefined) statuses.add(412)
  return [...statuses].sort((a, b) => a - b)
}
