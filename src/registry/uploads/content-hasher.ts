/**
 * The digest of an upload, computed while its bytes pass. Whole streams use the native hash, the fastest there is
 * but one whose state cannot be stored, in a thread where they are large; sessions fed chunk by chunk use a hasher that
 * can be put away in the session's row and taken up by another request, process or machine. So the hashing of an upload costs O(size),
 * never O(size x chunks).
 */
import { createHash } from 'node:crypto'
import { createSHA256, createSHA512 } from 'hash-wasm'
import type { HashState } from '../../metadata/content/uploads.ts'
import { formatDigest, type Digest, type DigestAlgorithm } from '../../oci/digest.ts'

export type FinishedHash = HashState & { readonly digest: Digest }

export interface ContentHasher {
  readonly algorithm: DigestAlgorithm
  /** The pieces as they arrive, or what the store makes of them, while it writes that. */
  readonly takes: 'pieces' | 'stored bytes'
  update(bytes: Uint8Array): void | Promise<void>
  /** State after `offset` bytes of the upload; without a resumable state while the hash goes on. */
  snapshot(offset: number): HashState
  /** Digest of everything so far; the hasher is done. */
  finish(offset: number): FinishedHash | Promise<FinishedHash>
  /** In place of `finish`. */
  abandon(): void
}

const resumableHashes: Record<DigestAlgorithm, typeof createSHA256> = {
  sha256: createSHA256,
  sha512: createSHA512,
}

export function createNativeHasher(algorithm: DigestAlgorithm): ContentHasher {
  const hash = createHash(algorithm)
  return {
    algorithm,
    takes: 'pieces',
    abandon: () => undefined,
    update: (bytes) => void hash.update(bytes),
    snapshot: (offset) => ({ algorithm, offset, digest: undefined, state: undefined }),
    finish: (offset) => ({
      algorithm,
      offset,
      digest: formatDigest(algorithm, hash.digest('hex')),
      state: undefined,
    }),
  }
}

/** Goes on from `state`; `undefined` when the state was saved by another version of the hash and cannot be read. */
export async function createResumableHasher(
  algorithm: DigestAlgorithm,
  state?: Uint8Array,
): Promise<ContentHasher | undefined> {
  const hash = await resumableHashes[algorithm]()
  try {
    if (state === undefined) hash.init()
    else hash.load(state)
  } catch {
    return undefined
  }
  return {
    algorithm,
    takes: 'pieces',
    abandon: () => undefined,
    update: (bytes) => void hash.update(bytes),
    snapshot: (offset) => ({ algorithm, offset, digest: undefined, state: hash.save() }),
    finish: (offset) => {
      const saved = hash.save()
      return { algorithm, offset, digest: formatDigest(algorithm, hash.digest('hex')), state: saved }
    },
  }
}
