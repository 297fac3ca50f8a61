/** The OpenAPI document, made of the same rows that are served: what is documented is what is checked. */
import { OpenAPIHono, z } from '@hono/zod-openapi'
import { cookieName } from '../../identity/sessions/session-cookie.ts'
import type { ErrorStatus } from '../../edge/error-table.ts'
import type { Gives } from '../../edge/need.ts'
import type { Endpoint } from '../endpoint.ts'
import { endpoints } from '../endpoints.ts'
import { apiPrefix } from '../paths.ts'
import { problemSchema, problemType, titles } from '../errors/problem.ts'

export type ApiDocument = ReturnType<OpenAPIHono['getOpenAPI31Document']>
type RouteConfig = Parameters<OpenAPIHono['openAPIRegistry']['registerPath']>[0]
type Responses = RouteConfig['responses']
type Headers = Record<string, { description: string; schema: { type: 'string' } }>

const credentials = [{ basic: [] }, { bearer: [] }, { session: [] }]

const conditions = z.object({
  'if-match': z.string().optional().openapi({ example: '*', description: 'The entity tag that was read.' }),
})

const tags = [
  ['me', 'The account of whoever asks.'],
  ['session', 'Logins of browsers.'],
  ['users', 'Accounts of people.'],
  ['owners', 'Users and organizations: the first component of repository names.'],
  ['teams', 'Members of organizations in groups.'],
  ['rights', 'Roles, grants, and why something is allowed or not.'],
  ['robots', 'Accounts of machines, which belong to an owner.'],
  ['repositories', 'Packages and their settings.'],
  ['audit', 'Who did what.'],
] as const

/** Makes the document each time, since it is rarely asked for. */
export function describeApi(): ApiDocument {
  const app = new OpenAPIHono()
  const { openAPIRegistry: registry } = app
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
    description: 'Of a browser. Changes also need the header X-CSRF-Token that the login answered.',
  })
  for (const endpoint of endpoints) registry.registerPath(toRoute(endpoint))
  return app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Lading management API',
      version: '1',
      license: { name: 'Apache-2.0' },
      description:
        'Owners, people, rights, credentials and the audit of a registry. Lists are pages: follow `Link`. Refusals are problem details (RFC 9457).',
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
  const description = { 200: 'Done.', 201: 'Created.', 204: 'Done; there is nothing to say.' }[status]
  const success = { description, ...content, ...(headers !== undefined && { headers }) }
  if (tagged !== true) return { [String(status)]: success }
  const unchanged = { description: 'What If-None-Match names is still current.' }
  return { [String(status)]: success, '304': unchanged }
}

function describeHeaders({ status, tagged, query }: Endpoint): Headers | undefined {
  const text = { type: 'string' } as const
  if (tagged === true) return { ETag: { description: 'For If-Match of a change.', schema: text } }
  if ('after' in query.shape)
    return { Link: { description: 'The next page; absent on the last.', schema: text } }
  if (status === 201) return { Location: { description: 'Of what was created.', schema: text } }
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

/** Returns the statuses of the row, of its access and of its input, and those that any request can get. */
function problemsOf({ access, gives, method, body, current, problems = [] }: Endpoint): ErrorStatus[] {
  const statuses = new Set<ErrorStatus>([400, 401, 429, 500, 503, ...problems])
  if (method !== 'GET') statuses.add(403).add(507)
  if ((access !== 'public' && access !== 'user') || gives !== undefined) statuses.add(403)
  if (body !== undefined) statuses.add(408).add(413).add(415)
  if (current !== undefined) statuses.add(412)
  return [...statuses].sort((a, b) => a - b)
}
