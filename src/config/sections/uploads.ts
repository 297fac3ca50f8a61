/** The section `uploads` of the configuration: the life and the number of upload sessions. */
import { z } from 'zod'
import { oneDayMs, oneMinuteMs, timer } from '../leaves.ts'

/** A laptop closed overnight can resume its push the next morning. */
const defaultUploadExpiryMs = oneDayMs
/** A live upload is noted about once a second; a busy database or disk may hold that up for some seconds. */
export const minUploadExpiryMs = oneMinuteMs
/** Far above what a build farm opens at once, low enough that a runaway script cannot fill the table. */
const defaultMaxSessions = 1000
/** A refusal at the ceiling looks at all sessions of the holder at once, 4 ms for each thousand. */
const mostSessions = 4_000

/** `uploads.*`. */
export const uploads = z.strictObject({
  expireAfterMs: timer({ min: minUploadExpiryMs, default: defaultUploadExpiryMs }).describe(
    'An upload session that got no bytes for this time ends. A session that holds no byte at all ends after five minutes, or two minutes after `limits.idleTimeoutMs` where that is later. It is no less than `limits.idleTimeoutMs`.',
  ),
  maxSessions: z
    .int()
    .min(1)
    .max(mostSessions)
    .default(defaultMaxSessions)
    .describe(
      'Open upload sessions per account, or per address (one /64 of IPv6) for clients without an account. One more ends the oldest session that holds no byte and that nobody writes. Where there is none, it is answered with 429, and `Retry-After` says when the next session expires. Pushes in one request and mounts are not counted.',
    ),
})
