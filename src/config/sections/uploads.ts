/** The section `uploads` of the configuration: the lifetime and the number of upload sessions. */
import { z } from 'zod'
import { oneDayMs, oneMinuteMs, timer } from '../leaves.ts'

/** A laptop closed overnight can resume its push the next morning. */
const defaultUploadExpiryMs = oneDayMs
/** The progress of an upload is recorded about once a second; a busy database or disk may delay that by a few seconds. */
export const minUploadExpiryMs = oneMinuteMs
/** Far more than a build farm opens at once, and few enough that a runaway script cannot fill the table. */
const defaultMaxSessions = 1000
/** A refusal at the limit reads all sessions of the holder at once, which takes 4 ms per thousand. */
const mostSessions = 4_000

/** `uploads.*`. */
export const uploads = z.strictObject({
  expireAfterMs: timer({ min: minUploadExpiryMs, default: defaultUploadExpiryMs }).describe(
    'An upload session expires if it receives no bytes for this time. A session that has received no bytes at all expires after five minutes, or two minutes after `limits.idleTimeoutMs` if that is later. The value must be at least `limits.idleTimeoutMs`.',
  ),
  maxSessions: z
    .int()
    .min(1)
    .max(mostSessions)
    .default(defaultMaxSessions)
    .describe(
      'The maximum number of open upload sessions per account, or per address (one /64 of IPv6) for clients without an account. Opening another session ends the oldest session that has received no bytes and has no active writer. If no such session exists, the request is refused with 429, and `Retry-After` says when the next session expires. Pushes in one request and mounts do not count.',
    ),
})
