import { jsonReply } from '../replies/reply.ts'
import type { Reply } from '../replies/reply.ts'

/** Extensions of the distribution-spec (`_oci/ext/discover`): the endpoint is there, this registry offers none yet. */
export function discoverExtensions(): Reply {
  return jsonReply(200, { extensions: [] })
}
