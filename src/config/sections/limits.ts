/** The section `limits` of the configuration: limits on sizes, idle time, memory and connections. */
import { z } from 'zod'
import { oneMebibyte, oneMinuteMs, timer } from '../leaves.ts'
import { quantity } from '../quantities.ts'

/** The spec asks for at least 4 MB. Large indexes with annotations need 10 MiB, which the reference system documents. */
const defaultManifestBytes = 10 * oneMebibyte
/** Longer than the pauses that proxies and slow disks cause, shorter than most clients wait. */
const defaultIdleTimeoutMs = oneMinuteMs
/** Clients that unpack while they pull may pause for minutes. */
const defaultReplyIdleTimeoutMs = 5 * oneMinuteMs
/**
 * Room for 25 of the largest manifests, or 200 of the longest pages of tags. Caches and buffers take about 130 MiB more, so
 * 1 GiB of memory is enough for the process.
 */
const defaultReplyMemoryBytes = 256 * oneMebibyte
/** Room for a few of the largest replies. */
const minReplyMemoryBytes = 16 * oneMebibyte
/** A lost packet is sent again within a second. */
const minIdleTimeoutMs = 1_000
/**
 * Docker, containerd and Kubernetes together open about ten per host, so a thousand hosts can pull at once. A connection
 * costs about 20 KiB.
 */
const defaultConnections = 10_000
/** Enough for an office or a build farm behind one NAT address; one runaway client cannot use all connections. */
const defaultConnectionsPerAddress = 1_000

/** `limits.*`. */
export const limits = z.strictObject({
  manifestBytes: quantity('bytes', { min: 1, default: defaultManifestBytes }).describe(
    'Size of the largest manifest. A larger one is refused with 413.',
  ),
  idleTimeoutMs: timer({ min: minIdleTimeoutMs, default: defaultIdleTimeoutMs }).describe(
    'The longest pause within a request body. If a client sends nothing for this time, Lading answers the request with 408 and closes the connection. An upload keeps the bytes that have arrived. This does not limit how long a whole upload takes.',
  ),
  replyIdleTimeoutMs: timer({ min: minIdleTimeoutMs, default: defaultReplyIdleTimeoutMs }).describe(
    'The longest time that a client may pause while it reads a reply. If a client reads nothing for this time, Lading closes the connection, whatever the reply is. If another request waits for memory of `limits.replyMemoryBytes` that the client holds, Lading closes the connection earlier: when the client reads less than 1 MiB within 30 s.',
  ),
  replyMemoryBytes: quantity('bytes', {
    min: minReplyMemoryBytes,
    default: defaultReplyMemoryBytes,
  }).describe(
    'Memory for manifests and lists that clients have requested and not yet read, and for manifests that they push, over all connections. An account, the robots of one owner together, or an address without an account may use a quarter of it. A request that needs more waits until memory is free. Replies below 64 KiB and blobs, which are streamed, never wait.',
  ),
  connections: z
    .int()
    .min(1)
    .default(defaultConnections)
    .describe('The maximum number of open connections. Additional connections are closed immediately.'),
  connectionsPerAddress: z
    .int()
    .min(1)
    .default(defaultConnectionsPerAddress)
    .describe(
      'The maximum number of open connections from one address, or from one /64 of IPv6. Connections from trusted proxies do not count.',
    ),
})
