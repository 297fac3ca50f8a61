/** Chooses the hasher of an upload by its saved hash state and by what is known about the body. */
import type { HashState } from '../../metadata/content/uploads.ts'
import type { DigestAlgorithm } from '../../oci/digest.ts'
import { createNativeHasher, createResumableHasher } from './content-hasher.ts'
import type { ContentHasher } from './content-hasher.ts'
import type { HashThreads } from './hash-threads.ts'

export interface HasherChoice {
  /** The hash state in the session's row, for the bytes received before. */
  readonly saved: HashState | undefined
  readonly offset: number
  /** The algorithm of the final digest, if known. */
  readonly wanted: DigestAlgorithm | undefined
  /** Whether the client sends ranges, so that more chunks are likely to follow. */
  readonly chunked: boolean
  /** The length of the body, if announced. */
  readonly length: number | undefined
}

/** From this size on, a thread is worth the cost of its messages. */
const largeBytes = 4 * 1024 * 1024

/**
 * Returns `undefined` if the hash of the bytes received before cannot be resumed: the whole upload is then read again at the end.
 */
export async function chooseHasher(
  choice: HasherChoice,
  threads: HashThreads,
): Promise<ContentHasher | undefined> {
  const { saved, offset, wanted, chunked, length } = choice
  const algorithm = wanted ?? saved?.algorithm ?? 'sha256'
  if (offset === 0 && chunked) return createResumableHasher(algorithm)
  if (offset === 0) return isLarge(length) ? threads.createHasher(algorithm) : createNativeHasher(algorithm)
  if (saved?.state === undefined || saved.offset !== offset || saved.algorithm !== algorithm) return undefined
  return createResumableHasher(algorithm, saved.state)
}

/** Whether the body is or may be large; an unannounced length counts as large. */
function isLarge(length: number | undefined): boolean {
  return length === undefined || length >= largeBytes
}
