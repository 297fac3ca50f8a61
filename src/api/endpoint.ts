/** A row of the table of endpoints. What it takes, who may ask and what it answers is declared; the handler only does it. */
import { z } from '@hono/zod-openapi'
import type { Actor } from '../identity/actor.ts'
import type { Gives, ManagementNeed } from '../edge/need.ts'
import type { Principal } from '../identity/principal.ts'
import type { ApiRequest } from './api-request.ts'
import type { ApiServices } from './services.ts'

export type Access = ManagementNeed

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** Statuses that a row adds to those of its access and its input. */
export type ProblemStatus = 401 | 403 | 404 | 409 | 412 | 429

type Shape = z.ZodObject

export interface EndpointRequest<P, Q, B> {
  readonly principal: Principal
  /** The same for the audit. */
  readonly actor: Actor
  readonly params: P
  readonly query: Q
  readonly body: B
  readonly http: ApiRequest
}

export interface EndpointReply<R> {
  readonly value?: R
  /** Below `/api/v1`, of what was created. */
  readonly location?: string
  /** The key that the next page starts after; absent on the last page. */
  readonly after?: string | undefined
  readonly cookies?: readonly string[]
  /** In place of a value: lines of JSON, in groups that are written together. Not asked for any with HEAD. */
  readonly lines?: AsyncIterable<readonly unknown[]>
}

interface Description {
  readonly id: string
  readonly method: Method
  /** Below `/api/v1`, `/owners/{owner}`. */
  readonly path: string
  readonly tag: string
  readonly summary: string
  readonly access: Access
  /** Absent: the row gives no access, or takes some away. */
  readonly gives?: Gives
  readonly status: 200 | 201 | 204
  readonly problems?: readonly ProblemStatus[]
  /** The field that names an account. One that the caller may not know of is answered like one that does not exist (404). */
  readonly account?: `${'params' | 'query' | 'body'}.${string}`
  /** GET of one thing: the reply has an entity tag. */
  readonly tagged?: boolean
  /** The reply is lines of JSON, each of the shape of `result`. */
  readonly lines?: boolean
}

export interface EndpointSpec<
  P extends Shape,
  Q extends Shape,
  B extends z.ZodType,
  R extends z.ZodType,
> extends Description {
  readonly params?: P
  readonly query?: Q
  readonly body?: B
  /** Of the reply. What it does not name never leaves the registry. */
  readonly result?: R
  /** What `If-Match` of a change is compared with: the value that GET of the same path answers. */
  readonly current?: (
    request: EndpointRequest<z.output<P>, z.output<Q>, unknown>,
    services: ApiServices,
  ) => Promise<unknown>
  readonly handler: (
    request: EndpointRequest<z.output<P>, z.output<Q>, z.output<B>>,
    services: ApiServices,
  ) => Promise<EndpointReply<z.input<R>>>
}

type AnyRequest = EndpointRequest<Record<string, unknown>, Record<string, unknown>, unknown>

/** With the types of its input forgotten: the schemas hold them. */
export interface Endpoint extends Description {
  readonly params: Shape
  readonly query: Shape
  readonly body: z.ZodType | undefined
  readonly result: z.ZodType | undefined
  readonly current: ((request: AnyRequest, services: ApiServices) => Promise<unknown>) | undefined
  readonly handler: (request: AnyRequest, services: ApiServices) => Promise<EndpointReply<unknown>>
}

export const nothing = z.strictObject({})
type Nothing = typeof nothing

export function defineEndpoint<
  R extends z.ZodType,
  P extends Shape = Nothing,
  Q extends Shape = Nothing,
  B extends z.ZodType = z.ZodUndefined,
>(spec: EndpointSpec<P, Q, B, R>): Endpoint {
  const { params = nothing, query = nothing, body, result, current, handler } = spec
  return {
    ...spec,
    params,
    query,
    body,
    result,
    // The schemas of the same row made what these get.
    current: current as Endpoint['current'],
    handler: handler as Endpoint['handler'],
  }
}
