/**
 * @module
 * The management API under `/api/v1`: owners, people, rights, credentials and the audit, as JSON. `match-endpoint.ts` finds the row of a
 * request, `run-endpoint.ts` takes it through, `problem.ts` says what went wrong. It asks the services of `identity/`, `access/`,
 * `organizations/` and `audit/`, and knows neither the database nor connections: `http/` hands it requests and writes its replies.
 */
import { ApiError } from './errors/api-error.ts'
import type { ApiReply, ApiRequest, ManagementApi } from './api-request.ts'
import { isFromScript } from './authenticate.ts'
import { docsHeaders, formatDocsPage } from './pages/docs-page.ts'
import type { Endpoint } from './endpoint.ts'
import { endpoints } from './endpoints.ts'
import { describeApi } from './pages/openapi-document.ts'
import { createMatcher } from './match-endpoint.ts'
import { apiPrefix } from './paths.ts'
import { problemReply } from './errors/problem.ts'
import type { ProblemContext } from './errors/problem.ts'
import { createRunner } from './run-endpoint.ts'
import type { Runner } from './run-endpoint.ts'
import type { ApiServices } from './services.ts'

const always = ['Cache-Control', 'no-store']
const readOnly: ReadonlySet<string> = new Set(['GET', 'HEAD'])

type Answer = (request: ApiRequest) => Promise<ApiReply>

export function createManagementApi(services: ApiServices): ManagementApi {
  const answerPage = createPages()
  const answerRow = createRows(createRunner(services))
  return {
    async answer(http) {
      try {
        return withCommon(answerPage(http) ?? (await answerRow(http)))
      } catch (error) {
        return refuse(error, http)
      }
    },
    refuse,
  }
}

function refuse(error: unknown, http: ApiRequest): ApiReply {
  return withCommon(problemReply(error, contextOf(http)))
}

function withCommon(reply: ApiReply): ApiReply {
  return { ...reply, headers: [...always, ...reply.headers] }
}

function contextOf(http: ApiRequest): ProblemContext {
  return { requestId: http.id, fromScript: isFromScript(http) }
}

/** The path as it came: `%2f`, `..`, `//`, `;` and their like stay in the component that they are in, and fail its grammar. */
function createRows(run: Runner): Answer {
  const match = createMatcher(endpoints)
  return async (http) => {
    // HEAD is GET without the content (RFC 9110, 9.3.2), which is left out where replies are written.
    const found = match(http.method === 'HEAD' ? 'GET' : http.method, http.path)
    if (found === undefined) throw pathUnknown(http.path)
    const { endpoint, params, allow } = found
    if (endpoint === undefined) throw methodUnsupported(http.method, allow)
    try {
      return await run(endpoint, { http, params })
    } catch (error) {
      return { ...problemReply(error, contextOf(http)), endpoint: describeRow(endpoint) }
    }
  }
}

function describeRow({ id, path }: Endpoint): { id: string; path: string } {
  return { id, path: `${apiPrefix}${path}` }
}

function createPages(): (http: ApiRequest) => ApiReply | undefined {
  const pages = [
    ['openapi.json', 'application/json', () => JSON.stringify(describeApi()), []],
    ['docs', 'text/html; charset=utf-8', () => formatDocsPage(describeApi()), docsHeaders],
  ] as const
  const bodies = new Map<string, Uint8Array>()
  return ({ method, path }) => {
    const page = pages.find(([name]) => path === `${apiPrefix}/${name}`)
    if (page === undefined) return undefined
    if (!readOnly.has(method)) throw methodUnsupported(method, 'GET, HEAD')
    const [name, type, read, headers] = page
    // Made at the first request; all others share the bytes.
    const body = bodies.get(name) ?? Buffer.from(read())
    bodies.set(name, body)
    return {
      status: 200,
      headers: ['Content-Type', type, ...headers],
      body,
      endpoint: { id: name, path },
      fault: undefined,
    }
  }
}

function methodUnsupported(method: string, allow: string): ApiError {
  return new ApiError(405, {
    code: 'UNSUPPORTED',
    message: `${method} is not supported here; use one of ${allow}`,
    allow,
  })
}

function pathUnknown(path: string): ApiError {
  return new ApiError(404, {
    code: 'UNSUPPORTED',
    message: `the management API has nothing at ${JSON.stringify(path.slice(0, 255))}; ${apiPrefix}/docs lists its endpoints`,
  })
}
