/**
 * Computes the digest of an upload as its bytes arrive. Whole streams use the native hash, which is the fastest but cannot save
 * its state; large streams use it in a thread. Sessions fed chunk by chunk use a hasher whose state is saved in the session's
 * row, so that another request, process or machine can resume it. So hashing an upload costs O(size), never O(size x chunks).
 */
import { createHash } from 'node:crypto'
import { createSHA256, createSHA512 } from 'hash-wasm'
import type { HashState } from '../../metadata/content/uploads.ts'
import { formatDigest, type Digest, type DigestAlgorithm } from '../../oci/digest.ts'

export type FinishedHash = HashState & { readonly digest: Digest }

export interface ContentHasher {
  readonly algorithm: DigestAlgorithm
  /**
   * `pieces`: hashes the pieces of the body as they arrive. `stored bytes`: hashes the store's buffers while the store writes
   * them.
   */
  readonly takes: 'pieces' | 'stored bytes'
  update(bytes: Uint8Array): void | Promise<void>
  /** Returns the state after `offset` bytes of the upload, without a resumable state if the hash cannot save one. */
  snapshot(offset: number): HashState
  /** Returns the digest of all bytes so far; the hasher must not be used afterwards. */
  finish(offset: number): FinishedHash | Promise<FinishedHash>
  /** Drops the hash. Call it instead of `finish`. */
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

/** Resumes from `state`. Returns `undefined` when another version of the hash saved the state and it cannot be read. */
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
