/**
 * @module
 * The management API under `/api/v1`: owners, users, rights, credentials and the audit, as JSON. `match-endpoint.ts` finds the
 * row of a request, `run-endpoint.ts` runs it, `problem.ts` describes errors, and `pages/` serves browsers. The API calls the
 * services of `identity/`, `access/`, `organizations/` and `audit/`. It uses neither the database nor connections: `http/`
 * passes it requests and writes its replies.
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

/** The header of every reply but pages, which set their own caching. */
const noStore = ['Cache-Control', 'no-store']

type Answer = (request: ApiRequest) => Promise<ApiReply>

/** `version` is the version of this program, which its pages show. */
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
    : { ...reply, headers: [...noStore, ...reply.headers] }
}

/** Whether a script in a browser sent the request: for it, a Basic challenge would open the browser's login dialog. */
function isFromScript(request: ApiRequest): boolean {
  const mode = header(request, 'sec-fetch-mode')
  return mode !== undefined && mode !== 'navigate'
}

function contextOf(http: ApiRequest): ProblemContext {
  return { requestId: http.id, fromScript: isFromScript(http) }
}

/** Matches the path as received: `%2f`, `..`, `//` and `;` stay in their component, whose grammar refuses them. */
function createRows(run: Runner): Answer {
  const match = createMatcher(endpoints)
  return async (http) => {
    // HEAD is GET without the content (RFC 9110, 9.3.2); the HTTP layer omits the content when it writes the reply.
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
