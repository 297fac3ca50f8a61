/** A row of the table of endpoints. It declares its input, access and reply, so that its handler only does the work. */
import { z } from './zod.ts'
import type { Actor } from '../identity/actor.ts'
import type { Gives, ManagementNeed } from '../edge/need.ts'
import type { Principal } from '../identity/principal.ts'
import type { ApiRequest } from './api-request.ts'
import type { ApiServices } from './services.ts'

export type Access = ManagementNeed

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** The error statuses that a row can declare, besides those that follow from its access and input. */
export type ProblemStatus = 401 | 403 | 404 | 409 | 412 | 429

type Shape = z.ZodObject

export interface EndpointRequest<P, Q, B> {
  readonly principal: Principal
  /** The principal as the audit records it. */
  readonly actor: Actor
  readonly params: P
  readonly query: Q
  readonly body: B
  readonly http: ApiRequest
}

export interface EndpointReply<R> {
  readonly value?: R
  /** The path below `/api/v1` of the created resource. */
  readonly location?: string
  /** The key that the next page starts after; absent on the last page. */
  readonly after?: string | undefined
  readonly cookies?: readonly string[]
  /** Lines of JSON instead of a value, in groups that are written together. Not read for HEAD. */
  readonly lines?: AsyncIterable<readonly unknown[]>
}

interface Description {
  readonly id: string
  readonly method: Method
  /** The path below `/api/v1`, for example `/owners/{owner}`. */
  readonly path: string
  readonly tag: string
  readonly summary: string
  readonly access: Access
  /** The kind of access that the row gives; absent if it gives none or only removes some. */
  readonly gives?: Gives
  readonly status: 200 | 201 | 204
  readonly problems?: readonly ProblemStatus[]
  /** The field that names an account. An account that the caller may not know of gets the same 404 as a missing one. */
  readonly account?: `${'params' | 'query' | 'body'}.${string}`
  /** Whether the reply has an entity tag: for GET of a single resource. */
  readonly tagged?: boolean
  /** Whether the reply is lines of JSON, each with the shape of `result`. */
  readonly lines?: boolean
}

/** The fields of a schema, as `account` names them. */
type FieldsOf<S extends z.ZodType> = Extract<keyof z.output<S>, string>

export interface EndpointSpec<
  P extends Shape,
  Q extends Shape,
  B extends z.ZodType,
  R extends z.ZodType,
> extends Description {
  readonly account?: `params.${FieldsOf<P>}` | `query.${FieldsOf<Q>}` | `body.${FieldsOf<B>}`
  readonly params?: P
  readonly query?: Q
  readonly body?: B
  /** The shape of the reply. Fields that it does not name are never sent. */
  readonly result?: R
  /** Returns the value that GET of the same path answers, for comparison with the `If-Match` of a change. */
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

/** A row without the types of its input, which its schemas hold. */
export interface Endpoint extends Description {
  readonly params: Shape
  readonly query: Shape
  readonly body: z.ZodType | undefined
  readonly result: z.ZodType | undefined
  readonly current: ((request: AnyRequest, services: ApiServices) => Promise<unknown>) | undefined
  readonly handler: (request: AnyRequest, services: ApiServices) => Promise<EndpointReply<unknown>>
}

/** A row with its types, from which a client can be derived. */
export interface TypedEndpoint<
  Id extends string,
  M extends Method,
  Path extends string,
  P extends Shape,
  Q extends Shape,
  B extends z.ZodType,
  R extends z.ZodType,
> extends Endpoint {
  readonly id: Id
  readonly method: M
  readonly path: Path
  readonly params: P
  readonly query: Q
  readonly body: B | undefined
  readonly result: R | undefined
}

export const nothing = z.strictObject({})
type Nothing = typeof nothing

export function defineEndpoint<
  const Id extends string,
  const M extends Method,
  const Path extends string,
  R extends z.ZodType = z.ZodUndefined,
  P extends Shape = Nothing,
  Q extends Shape = Nothing,
  B extends z.ZodType = z.ZodUndefined,
>(
  spec: EndpointSpec<P, Q, B, R> & { readonly id: Id; readonly method: M; readonly path: Path },
): TypedEndpoint<Id, M, Path, P, Q, B, R> {
  const {
    params = nothing as Shape as P,
    query = nothing as Shape as Q,
    body,
    result,
    current,
    handler,
  } = spec
  return {
    ...spec,
    params,
    query,
    body,
    result,
    // Safe: the input of these functions is parsed by the schemas of the same row.
    current: current as Endpoint['current'],
    handler: handler as Endpoint['handler'],
  }
}
