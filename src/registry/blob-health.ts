/**
 * Whether the bytes behind a blob's row are there. A row is no proof of bytes: a file may be gone or cut short. Who links
 * to existing content or says that it exists looks first. Damaged content counts as absent, so that clients push it
 * again, and that push replaces it. Bytes of the right size and the wrong content are not found here.
 */
import type { BlobStore, StoredBlob } from '../blob-store/blob-store.ts'
import type { Clock } from '../lib/clock.ts'
import { Lru } from '../lib/memory/lru.ts'
import type { BlobLocation } from '../metadata/content/blobs.ts'
import type { Digest } from '../oci/digest.ts'

/** A row whose bytes are missing or have another size. */
export interface DamagedContent {
  readonly kind: 'blob' | 'manifest'
  readonly digest: Digest
  /** Absent for a manifest: its bytes are in the database. */
  readonly storageKey?: string | undefined
  readonly expectedBytes: number
  /** `undefined` when nothing is there, or when it is not known how much is. */
  readonly foundBytes: number | undefined
}

export interface BlobHealthDeps {
  readonly store: BlobStore
  /** A clock that never jumps. */
  readonly monotonic: Clock
  /** Called each time damage is met. */
  readonly onDamage: (damage: DamagedContent) => void
}

export interface InspectedBlob {
  readonly location: BlobLocation
  readonly isIntact: boolean
}

const entryBytes = 200
const maxBytes = 2 * 1024 * 1024
/** A push of an image takes minutes; damage that comes within them is found by the next look. */
const trustedMs = 5 * 60_000

export class BlobHealth {
  readonly #deps: BlobHealthDeps
  /** When the bytes of a digest were stored or looked at last. */
  readonly #intactAt = new Lru<Digest, number>({ maxBytes })
  /** Looks that are under way, by storage key. */
  readonly #looks = new Map<string, Promise<number | undefined>>()

  constructor(deps: BlobHealthDeps) {
    this.#deps = deps
  }

  /**
   * Reads the row and looks at the bytes; `undefined` without a row. Reports damage. The bytes of a row may be collected
   * or replaced between the two, so a row whose bytes are not found is read once more. Throws `StoreUnavailable`.
   */
  async inspect(
    find: () => Promise<BlobLocation | undefined>,
    first?: BlobLocation,
  ): Promise<InspectedBlob | undefined> {
    let location = first ?? (await find())
    while (location !== undefined) {
      const { digest, storageKey, size }: BlobLocation = location
      const found = await this.#look({ key: storageKey, digest })
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

  /** Returns the size of the bytes; `undefined` when they are missing. Concurrent requests for the same blob share one look. */
  async #look(blob: StoredBlob): Promise<number | undefined> {
    const underWay = this.#looks.get(blob.key)
    if (underWay !== undefined) return underWay
    const look = this.#deps.store.stat(blob)
    this.#looks.set(blob.key, look)
    try {
      return await look
    } finally {
      this.#looks.delete(blob.key)
    }
  }

  /** Whether this process stored the content or looked at its bytes within the last minutes. */
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
