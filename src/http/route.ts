/** A row of the table in `routes.ts`. */
import type { RegistryNeed } from '../edge/need.ts'
import type { HandlerDeps } from './handlers/handler-deps.ts'
import type { Reply } from './replies/reply.ts'
import type { RepositoryRequest } from './requests/request.ts'

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export type Handler = (request: RepositoryRequest, deps: HandlerDeps) => Promise<Reply> | Reply

export interface Route {
  /** The endpoint id of the distribution-spec, or our own name if it has none. */
  readonly id: string
  readonly method: Method
  readonly path: string
  /** The right that the gate checks. */
  readonly action: RegistryNeed
  /** `manifest` and `form`: held in memory, up to their limit; `stream`: any size; `none`: not read. */
  readonly body: 'none' | 'manifest' | 'form' | 'stream'
  readonly summary: string
  readonly handler: Handler
}
