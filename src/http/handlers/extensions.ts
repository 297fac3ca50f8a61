import { jsonReply } from '../reply.ts'
import type { Reply } from '../reply.ts'

/** Extensions of the distribution-spec (`_oci/ext/discover`): the endpoint is there, this registry offers none yet. */
export function discoverExtensions(): Reply {
  return jsonReply(200, { extensions: [] })
}
