import { jsonReply } from '../reply.ts'
import type { Reply } from '../reply.ts'

/** distribution-spec end-1. */
export function ping(): Reply {
  return jsonReply(200, {})
}
