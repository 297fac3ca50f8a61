import { jsonReply } from '../replies/reply.ts'
import type { Reply } from '../replies/reply.ts'

/** Answers distribution-spec end-1. */
export function ping(): Reply {
  return jsonReply(200, {})
}
