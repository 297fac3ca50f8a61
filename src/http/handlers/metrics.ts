import { RouteUnknownError } from '../errors.ts'
import type { Reply } from '../replies/reply.ts'
import type { RegistryRequest } from '../requests/request.ts'
import type { HandlerDeps } from './handler-deps.ts'

/** The endpoint on the registry's own listener; where none is configured, there is no such path. */
export function answerMetrics({ headers }: RegistryRequest, deps: HandlerDeps): Promise<Reply> {
  if (deps.metrics === undefined) throw new RouteUnknownError('/metrics')
  return deps.metrics(headers.authorization)
}
