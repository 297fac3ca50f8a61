import { jsonReply } from '../replies/reply.ts'
import type { Reply } from '../replies/reply.ts'
import type { RegistryRequest } from '../requests/request.ts'
import type { HandlerDeps } from './handler-deps.ts'

const fresh = ['Cache-Control', 'no-store']

export function answerAlive(): Reply {
  return jsonReply(200, { status: 'ok' }, fresh)
}

export async function answerReady(_request: RegistryRequest, deps: HandlerDeps): Promise<Reply> {
  const { ready, checks } = await deps.health()
  return jsonReply(ready ? 200 : 503, { status: ready ? 'ok' : 'unavailable', checks }, fresh)
}
