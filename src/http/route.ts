/** A row of the table in `routes.ts`. */
import type { Action } from '../access/policy.ts'
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
  /**
   * What the policy decides. The others concern no single repository: `enter` and `catalog` are for everyone whom the
   * registry lets in, a token for `catalog` must say so; `none` asks nobody who they are.
   */
  readonly action: Action | 'enter' | 'catalog' | 'none'
  /** `manifest` and `form`: held in memory, up to their limit; `stream`: any size; `none`: read by nobody. */
  readonly body: 'none' | 'manifest' | 'form' | 'stream'
  readonly summary: string
  readonly handler: Handler
}
