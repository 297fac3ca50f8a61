import { jsonReply } from '../replies/reply.ts'
import type { Reply } from '../replies/reply.ts'

/** Lists the extensions of the distribution-spec (`_oci/ext/discover`); this registry offers none yet. */
export function discoverExtensions(): Reply {
  return jsonReply(200, { extensions: [] })
}
