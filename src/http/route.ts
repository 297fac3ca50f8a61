/** A row of the table in `routes.ts`. */
import type { RegistryNeed } from '../edge/need.ts'
import type { HandlerDeps } from './handlers/handler-deps.ts'
import type { Reply } from './replies/reply.ts'
import type { RepositoryRequest } from './requests/request.ts'

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export type Handler = (request: RepositoryRequest, deps: HandlerDeps) => Promise<Reply> | Reply

export interface Route {
  /** Of the distribution-spec where it has one. */
  readonly id: string
  readonly method: Method
  readonly path: string
  /** What the gate decides. */
  readonly action: RegistryNeed
  /** `manifest` and `form`: held in memory, up to their limit; `stream`: any size; `none`: read by nobody. */
  readonly body: 'none' | 'manifest' | 'form' | 'stream'
  readonly summary: string
  readonly handler: Handler
}
