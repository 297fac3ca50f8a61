/**
 * Checks whether the bytes of a blob's row exist. A row does not prove its bytes: a file may be missing or truncated. So code
 * that links existing content or reports it as existing checks first. Damaged content counts as absent, so that clients push it
 * again, and that push replaces it. Wrong bytes of the right size are not detected here.
 */
import type { BlobStore, StoredBlob } from '../blob-store/blob-store.ts'
import type { Clock } from '../lib/clock.ts'
import { Lru } from '../lib/memory/lru.ts'
import type { BlobLocation } from '../metadata/content/blobs.ts'
import type { Digest } from '../oci/digest.ts'

/** A row whose bytes are missing or differ in size. */
export interface DamagedContent {
  readonly kind: 'blob' | 'manifest'
  readonly digest: Digest
  /** Absent for a manifest: its bytes are in the database. */
  readonly storageKey?: string | undefined
  readonly expectedBytes: number
  /** `undefined` when the bytes are missing, or when their size is unknown. */
  readonly foundBytes: number | undefined
}

export interface BlobHealthDeps {
  readonly store: BlobStore
  /** A clock that never jumps. */
  readonly monotonic: Clock
  /** Called each time a request finds damage. */
  readonly onDamage: (damage: DamagedContent) => void
}

export interface InspectedBlob {
  readonly location: BlobLocation
  readonly isIntact: boolean
}

const entryBytes = 200
const maxBytes = 2 * 1024 * 1024
/** How long a check is trusted: about the duration of an image push. The next check after that finds later damage. */
const trustedMs = 5 * 60_000

export class BlobHealth {
  readonly #deps: BlobHealthDeps
  /** When the bytes of a digest were last stored or checked. */
  readonly #intactAt = new Lru<Digest, number>({ maxBytes })
  /** Checks in progress, by storage key. */
  readonly #checks = new Map<string, Promise<number | undefined>>()

  constructor(deps: BlobHealthDeps) {
    this.#deps = deps
  }

  /**
   * Reads the row and checks the bytes; returns `undefined` without a row. Reports damage. The bytes of a row may be collected or
   * replaced between the two, so a row whose bytes are missing is read again. Throws `StoreUnavailable`.
   */
  async inspect(
    find: () => Promise<BlobLocation | undefined>,
    first?: BlobLocation,
  ): Promise<InspectedBlob | undefined> {
    let location = first ?? (await find())
    while (location !== undefined) {
      const { digest, storageKey, size }: BlobLocation = location
      const found = await this.#check({ key: storageKey, digest })
      if (found === size) {
        this.noteIntact(digest)
        return { location, isIntact: true }
      }
      const again = await find()
      if (again?.storageKey === storageKey) {
        this.report({ kind: 'blob', digest, storageKey, expectedBytes: size, foundBytes: found })
        return { location, isIntact: false }
      }
      location = again
    }
    return undefined
  }

  /** Returns the size of the bytes; `undefined` when they are missing. Concurrent requests for the same blob share one check. */
  async #check(blob: StoredBlob): Promise<number | undefined> {
    const running = this.#checks.get(blob.key)
    if (running !== undefined) return running
    const check = this.#deps.store.stat(blob)
    this.#checks.set(blob.key, check)
    try {
      return await check
    } finally {
      this.#checks.delete(blob.key)
    }
  }

  /** Whether this process stored the content or checked its bytes within the last minutes. */
  wasIntactLately(digest: Digest): boolean {
    const at = this.#intactAt.get(digest)
    return at !== undefined && this.#deps.monotonic.now() - at < trustedMs
  }

  noteIntact(digest: Digest): void {
    this.#intactAt.set(digest, this.#deps.monotonic.now(), entryBytes)
  }

  report(damage: DamagedContent): void {
    this.#intactAt.delete(damage.digest)
    this.#deps.onDamage(damage)
  }
}
