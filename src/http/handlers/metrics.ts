import { RouteUnknownError } from '../errors.ts'
import type { Reply } from '../replies/reply.ts'
import type { RegistryRequest } from '../requests/request.ts'
import type { HandlerDeps } from './handler-deps.ts'

/** Serves the metrics on the registry's own listener; throws `RouteUnknownError` if they are not configured there. */
export function answerMetrics({ headers }: RegistryRequest, deps: HandlerDeps): Promise<Reply> {
  if (deps.metrics === undefined) throw new RouteUnknownError('/metrics')
  return deps.metrics(headers.authorization)
}
