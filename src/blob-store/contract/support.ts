/** Helpers for tests of blob stores. */
import { randomBytes } from 'node:crypto'
import { digestBytes } from '../../oci/digest.ts'
import type { BlobStore, ByteSink, StorageKey, StoredBlob, StoreEntry } from '../blob-store.ts'

export function aKey(): StorageKey {
  return randomBytes(16).toString('hex')
}

export function bytesOf(text: string): Uint8Array {
  return Buffer.from(text)
}

/** The key and the digest of the content. */
export function storedAs(key: StorageKey, content: string | Uint8Array): StoredBlob {
  return { key, digest: digestBytes(Buffer.from(content)) }
}

export function anAbsentBlob(): StoredBlob {
  return storedAs(aKey(), 'absent')
}

/** Keeps copies: the buffers belong to the store again after each write. */
export class CollectingSink implements ByteSink {
  readonly #parts: Buffer[] = []

  get bytes(): Buffer {
    return Buffer.concat(this.#parts)
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#parts.push(Buffer.from(bytes))
  }
}

/** Appends the text to a segment, durably. */
export async function writeSegment(
  store: BlobStore,
  key: StorageKey,
  { generation = 0, offset = 0, text }: { generation?: number; offset?: number; text: string | Uint8Array },
): Promise<number> {
  await using writer = await store.openSegment(key, { generation, offset })
  await writer.write(Buffer.from(text))
  return await writer.sync()
}

export async function putBlob(store: BlobStore, content: string | Uint8Array): Promise<StoredBlob> {
  const stored = storedAs(aKey(), content)
  const size = await writeSegment(store, stored.key, { text: content })
  await store.commit(stored, { generation: 0, segments: [{ generation: 0, size }] })
  return stored
}

export async function collectBlob(store: BlobStore, stored: StoredBlob): Promise<string> {
  await using reader = await store.open(stored)
  const sink = new CollectingSink()
  await reader.copyTo(sink, {})
  return sink.bytes.toString()
}

export type OpenStore = () => Promise<BlobStore>

export async function readSegment(store: BlobStore, key: string, size: number): Promise<string> {
  const sink = new CollectingSink()
  await store.readSegments(key, [{ generation: 0, size }], sink)
  return sink.bytes.toString()
}

export async function entriesOf(store: BlobStore): Promise<readonly StoreEntry[]> {
  return Array.fromAsync(store.list())
}
