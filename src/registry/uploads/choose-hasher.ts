/** Which hasher an upload gets: by what was hashed before, and by what is known of what comes. */
import type { HashState } from '../../metadata/content/uploads.ts'
import type { DigestAlgorithm } from '../../oci/digest.ts'
import { createNativeHasher, createResumableHasher } from './content-hasher.ts'
import type { ContentHasher } from './content-hasher.ts'
import type { HashThreads } from './hash-threads.ts'

export interface HasherChoice {
  /** What the session's row says of the bytes received before. */
  readonly saved: HashState | undefined
  readonly offset: number
  /** The algorithm that will be needed, when it is known. */
  readonly wanted: DigestAlgorithm | undefined
  /** The client sends ranges, so more chunks are likely to follow. */
  readonly chunked: boolean
  /** Of the body, where it is announced. */
  readonly length: number | undefined
}

/** From here on a thread is worth its messages. */
const largeBytes = 4 * 1024 * 1024

/** `undefined`: the bytes before cannot be taken up; the whole is read once more at the end. */
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

/** What is not announced may be. */
function isLarge(length: number | undefined): boolean {
  return length === undefined || length >= largeBytes
}
