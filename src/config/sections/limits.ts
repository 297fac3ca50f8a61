/** The section `limits` of the configuration: bounds of size, silence, memory and connections. */
import { z } from 'zod'
import { oneMebibyte, oneMinuteMs, timer } from '../leaves.ts'
import { quantity } from '../quantities.ts'

/** The spec asks for 4 MB at least; 10 MiB is what large indexes with annotations need, and the reference system documents. */
const defaultManifestBytes = 10 * oneMebibyte
/** Above the pauses that proxies and slow disks make, below the patience of most clients. */
const defaultIdleTimeoutMs = oneMinuteMs
/** Clients that unpack while they pull pause, some for minutes. */
const defaultReplyIdleTimeoutMs = 5 * oneMinuteMs
/** 25 of the largest manifests, or 200 of the longest pages of tags; beside it caches and buffers take some 130 MiB, so 1 GiB is enough. */
const defaultReplyMemoryBytes = 256 * oneMebibyte
/** Room for a few of the largest replies at least. */
const minReplyMemoryBytes = 16 * oneMebibyte
/** A packet that was lost is sent again within a second. */
const minIdleTimeoutMs = 1_000
/** Docker, containerd and Kubernetes together open some ten per host; a thousand hosts pull at once before this is met. A connection costs some 20 KiB. */
const defaultConnections = 10_000
/** An office or a build farm behind one address translator still fits; one runaway client does not take all. */
const defaultConnectionsPerAddress = 1_000

/** `limits.*`. */
export const limits = z.strictObject({
  manifestBytes: quantity('bytes', { min: 1, default: defaultManifestBytes }).describe(
    'Largest manifest; a larger one is answered with 413.',
  ),
  idleTimeoutMs: timer({ min: minIdleTimeoutMs, default: defaultIdleTimeoutMs }).describe(
    'Silence inside a request body: when a client sends nothing for this time, the request is answered with 408 and the connection is closed; an upload keeps what has arrived. This does not limit how long a whole upload takes.',
  ),
  replyIdleTimeoutMs: timer({ min: minIdleTimeoutMs, default: defaultReplyIdleTimeoutMs }).describe(
    'Silence of a reader: a client that takes nothing of a reply for this time, whatever the reply is, is cut off. A client that holds memory of `limits.replyMemoryBytes` for which another request waits, and takes less than 1 MiB within 30 s, is cut off then.',
  ),
  replyMemoryBytes: quantity('bytes', {
    min: minReplyMemoryBytes,
    default: defaultReplyMemoryBytes,
  }).describe(
    'Memory for manifests and lists that clients have asked for and not taken yet, and for manifests that they push, over all connections. One account, the robots of one owner together, or one address without an account, gets a quarter. A request that needs more waits until there is room; what is below 64 KiB and blobs, which are streamed, never wait.',
  ),
  connections: z
    .int()
    .min(1)
    .default(defaultConnections)
    .describe('Open connections; one more is closed at once.'),
  connectionsPerAddress: z
    .int()
    .min(1)
    .default(defaultConnectionsPerAddress)
    .describe('Open connections from one address, or one /64 of IPv6; trusted proxies are not counted.'),
})
