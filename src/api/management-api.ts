/**
 * @module
 * The management API under `/api/v1`: owners, people, rights, credentials and the audit, as JSON. Hono finds the row of a
 * request, `run-endpoint.ts` takes it through, `problem.ts` says what went wrong. It asks the services of `identity/`, `access/`,
 * `organizations/` and `audit/`, and knows neither the database nor connections: `http/` hands it requests and writes its replies.
 */
import { Hono } from 'hono'
import { ApiError } from './errors/api-error.ts'
import type { ApiReply, ApiRequest, ManagementApi } from './api-request.ts'
import { header } from '../edge/admission-request.ts'
import { docsHeaders, formatDocsPage } from './document/docs-page.ts'
import type { Endpoint } from './endpoint.ts'
import { endpoints } from './endpoints.ts'
import { describeApi } from './document/openapi-document.ts'
import { apiPrefix } from './paths.ts'
import { problemReply } from './errors/problem.ts'
import type { ProblemContext } from './errors/problem.ts'
import { createRunner } from './run-endpoint.ts'
import type { Runner } from './run-endpoint.ts'
import type { ApiServices } from './services.ts'

interface Bindings {
  readonly http: ApiRequest
  /** Set by the row: Hono routes, and its own replies are not needed. */
  reply: ApiReply | undefined
}

type App = Hono<{ Bindings: Bindings }>

/** Hono wants a request; everything is read from ours. */
const anyUrl = 'http://registry/'
const done = new Response()
const always = ['Cache-Control', 'no-store']
const readOnly: ReadonlySet<string> = new Set(['GET', 'HEAD'])

export function createManagementApi(services: ApiServices): ManagementApi {
  const app = createApp(createRunner(services))
  return {
    answer: (request) => answer(app, request),
    refuse: (error, request) => withCommon(problemReply(error, contextOf(request))),
  }
}

async function answer(app: App, http: ApiRequest): Promise<ApiReply> {
  const bindings: Bindings = { http, reply: undefined }
  // HEAD is GET without the content (RFC 9110, 9.3.2), which is left out where replies are written.
  const method = http.method === 'HEAD' ? 'GET' : http.method
  await app.fetch(new Request(anyUrl, { method: knownMethod(method) }), bindings)
  if (bindings.reply === undefined) throw new Error('a request was not answered')
  return withCommon(bindings.reply)
}

/** The constructor of requests refuses some names; no row has them. */
function knownMethod(method: string): string {
  return ['CONNECT', 'TRACE', 'TRACK'].includes(method) ? 'OPTIONS' : method
}

function withCommon(reply: ApiReply): ApiReply {
  return { ...reply, headers: [...always, ...reply.headers] }
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
function createApp(run: Runner): App {
  const app: App = new Hono<{ Bindings: Bindings }>({
    getPath: (_request, options) => options?.env?.http.path ?? '/',
  })
  addPages(app)
  for (const endpoint of endpoints) addEndpoint(app, endpoint, run)
  for (const [path, rows] of Map.groupBy(endpoints, (row) => row.path)) addMethodFallback(app, path, rows)
  app.notFound(({ env }) => refuse(env, pathUnknown(env.http.path)))
  app.onError((error, { env }) => refuse(env, error))
  return app
}

function addEndpoint(app: App, endpoint: Endpoint, run: Runner): void {
  app.on(endpoint.method, toHonoPath(endpoint.path), async ({ env, req }) => {
    try {
      env.reply = await run(endpoint, { http: env.http, params: req.param() })
    } catch (error) {
      refuse(env, error)
      if (env.reply !== undefined) env.reply = { ...env.reply, endpoint: describeRow(endpoint) }
    }
    return done
  })
}

function describeRow({ id, path }: Endpoint): { id: string; path: string } {
  return { id, path: `${apiPrefix}${path}` }
}

/** Behind the rows of a path, for every other method. */
function addMethodFallback(app: App, path: string, rows: readonly Endpoint[]): void {
  const methods = rows.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
  const allow = methods.toSorted().join(', ')
  app.all(toHonoPath(path), ({ env }) => refuse(env, methodUnsupported(env.http.method, allow)))
}

function addPages(app: App): void {
  const pages = [
    ['openapi.json', 'application/json', () => JSON.stringify(describeApi()), []],
    ['docs', 'text/html; charset=utf-8', () => formatDocsPage(describeApi()), docsHeaders],
  ] as const
  for (const [name, type, read, headers] of pages) {
    // Made at the first request; all others share the bytes.
    let body: Uint8Array | undefined
    app.all(`${apiPrefix}/${name}`, ({ env }) => {
      if (!readOnly.has(env.http.method)) return refuse(env, methodUnsupported(env.http.method, 'GET, HEAD'))
      const path = `${apiPrefix}/${name}`
      env.reply = {
        status: 200,
        headers: ['Content-Type', type, ...headers],
        body: (body ??= Buffer.from(read())),
        endpoint: { id: name, path },
        fault: undefined,
      }
      return done
    })
  }
}

function refuse(env: Bindings, error: unknown): Response {
  env.reply = problemReply(error, contextOf(env.http))
  return done
}

function methodUnsupported(method: string, allow: string): ApiError {
  return new ApiError('UNSUPPORTED', {
    message: `${method} is not supported here; use one of ${allow}`,
    allow,
  })
}

function pathUnknown(path: string): ApiError {
  return new ApiError('PATH_UNKNOWN', {
    message: `the management API has nothing at ${JSON.stringify(path.slice(0, 255))}; ${apiPrefix}/docs lists its endpoints`,
  })
}

/** `/users/{user}` as Hono writes it. */
function toHonoPath(path: string): string {
  return `${apiPrefix}${path.replaceAll(/\{([a-zA-Z]+)\}/g, ':$1')}`
}
