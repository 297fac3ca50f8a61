/** Reads the metadata of a backup: a separate SQLite file without writers. */
import { DatabaseSync } from 'node:sqlite'
import { parseSupportedDigest, type Digest } from '../../oci/digest.ts'
import { quote } from '../../oci/quote.ts'

export interface SnapshotBlob {
  readonly digest: Digest
  readonly storageKey: string
  readonly size: number
}

export interface SnapshotCounts {
  readonly repositories: number
  readonly manifests: number
  readonly blobs: number
  /** The bytes of all blobs. */
  readonly bytes: number
}

/** The content that the loss of a blob affects; long lists are truncated. */
export interface AffectedContent {
  readonly repositories: readonly string[]
  readonly manifests: readonly { readonly repository: string; readonly digest: string }[]
}

const maxAffected = 100

/** The metadata has a digest or storage key that would lead out of the store or of the backup. */
export class SnapshotInvalid extends Error {
  override readonly name = 'SnapshotInvalid'
}

function readNames(digest: string, storageKey: string): Pick<SnapshotBlob, 'digest' | 'storageKey'> {
  if (isDigest(digest) && /^[0-9a-f]{32}$/.test(storageKey)) return { digest, storageKey }
  throw new SnapshotInvalid(
    `the metadata contains blob ${quote(digest)} with storage key ${quote(storageKey)}, which is not valid; use another backup`,
  )
}

function isDigest(text: string): text is Digest {
  try {
    parseSupportedDigest(text)
    return true
  } catch {
    return false
  }
}

/** A snapshot file that is open for reading. Its methods throw SQLite's errors: the file may be damaged. */
export class SnapshotFile implements Disposable {
  readonly #database: DatabaseSync

  constructor(file: string) {
    this.#database = new DatabaseSync(file, { readOnly: true })
  }

  /** Returns the installation id; `undefined` if the file does not contain a registry's metadata. */
  findInstallation(): string | undefined {
    const row = this.#database.prepare('select id from installation where singleton = 1').get()
    return row === undefined ? undefined : String(row['id'])
  }

  /** Returns the name of the last migration that ran. */
  schema(): string {
    const row = this.#database.prepare('select max(name) as name from schema_migration').get()
    return String(row?.['name'])
  }

  count(): SnapshotCounts {
    const row = this.#database
      .prepare(
        `select (select count(*) from repository) as repositories, (select count(*) from manifest) as manifests,
          (select count(*) from blob) as blobs, (select coalesce(sum(size), 0) from blob) as bytes`,
      )
      .get()
    return { ...(row as unknown as SnapshotCounts) }
  }

  /**
   * Lists every blob in ascending order of digests; rows are read on demand. Digest and key become paths, so it throws
   * `SnapshotInvalid` for values that a registry does not write.
   */
  *listBlobs(): Generator<SnapshotBlob> {
    const rows = this.#database
      .prepare('select digest, storage_key, size from blob order by digest')
      .iterate()
    for (const row of rows) {
      yield {
        ...readNames(String(row['digest']), String(row['storage_key'])),
        size: Number(row['size']),
      }
    }
  }

  /** Lists the bytes of every manifest, one at a time. */
  *listManifests(): Generator<{ readonly digest: Digest; readonly bytes: Uint8Array }> {
    const rows = this.#database.prepare('select digest, bytes from manifest_content').iterate()
    for (const row of rows) {
      yield { digest: String(row['digest']) as Digest, bytes: row['bytes'] as Uint8Array }
    }
  }

  /**
   * Returns the findings of `integrity_check` and `foreign_key_check`; none if the database is intact. Reads the whole
   * database in one call.
   */
  findFaults(): readonly string[] {
    const faults = this.#database
      .prepare('pragma integrity_check(10)')
      .all()
      .map((row) => String(row['integrity_check']))
      .filter((line) => line !== 'ok')
    const broken = this.#database
      .prepare('select "table", rowid from pragma_foreign_key_check limit 10')
      .all()
    return [...faults, ...broken.map((row) => `a row of ${String(row['table'])} refers to a missing row`)]
  }

  /** Returns the repositories that show the blob, and their manifests that reference it. */
  findAffected(digest: Digest): AffectedContent {
    const repositories = this.#database
      .prepare(
        `select repository.name from blob_link join repository on repository.id = blob_link.repository_id
          where blob_link.digest = ? order by repository.name limit ${maxAffected}`,
      )
      .all(digest)
    const manifests = this.#database
      .prepare(
        `select repository.name, manifest.digest from blob_link
          join manifest_blob on manifest_blob.repository_id = blob_link.repository_id
            and manifest_blob.blob_digest = blob_link.digest
          join manifest on manifest.id = manifest_blob.manifest_id
          join repository on repository.id = blob_link.repository_id
          where blob_link.digest = ? limit ${maxAffected}`,
      )
      .all(digest)
    return {
      repositories: repositories.map((row) => String(row['name'])),
      manifests: manifests.map((row) => ({ repository: String(row['name']), digest: String(row['digest']) })),
    }
  }

  [Symbol.dispose](): void {
    this.#database.close()
  }
}
