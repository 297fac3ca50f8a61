/**
 * @module
 * The management API under `/api/v1`: owners, people, rights, credentials and the audit, as JSON. `match-endpoint.ts` finds the row
 * of a request, `run-endpoint.ts` takes it through, `problem.ts` says what went wrong; `pages/` is for browsers. It asks the services of `identity/`, `access/`,
 * `organizations/` and `audit/`, and knows neither the database nor connections: `http/` hands it requests and writes its replies.
 */
import type { ApiReply, ApiRequest, ManagementApi } from './api-request.ts'
import { header } from '../edge/admission-request.ts'
import type { Endpoint } from './endpoint.ts'
import { endpoints } from './endpoints.ts'
import { createMatcher } from './match-endpoint.ts'
import { apiPrefix } from './paths.ts'
import { methodUnsupported, pathUnknown } from './errors/no-endpoint.ts'
import { createPages } from './pages/pages.ts'
import { problemReply } from './errors/problem.ts'
import type { ProblemContext } from './errors/problem.ts'
import { createRunner } from './run-endpoint.ts'
import type { Runner } from './run-endpoint.ts'
import type { ApiServices } from './services.ts'

/** Pages say how they may be kept; everything else may not be. */
const unkept = ['Cache-Control', 'no-store']

type Answer = (request: ApiRequest) => Promise<ApiReply>

/** `version` is that of this program, for its pages. */
export function createManagementApi(services: ApiServices, version: string): ManagementApi {
  const answerPage = createPages(version)
  const answerRow = createRows(createRunner(services))
  return {
    async answer(http) {
      try {
        return withCommon((await answerPage(http)) ?? (await answerRow(http)))
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
  return reply.headers.includes('Cache-Control')
    ? reply
    : { ...reply, headers: [...unkept, ...reply.headers] }
}

/** Scripts in browsers: a Basic challenge would open the browser's own dialog over the page. */
function isFromScript(request: ApiRequest): boolean {
  const mode = header(request, 'sec-fetch-mode')
  return mode !== undefined && mode !== 'navigate'
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
