/** The errors of a blob store; each driver translates errno and SDK errors into these in one function. */
import type { StorageKey } from './blob-store.ts'

export class BlobMissing extends Error {
  override readonly name = 'BlobMissing'
  readonly key: StorageKey
  constructor(key: StorageKey, options?: ErrorOptions) {
    super(`the store holds no blob under key ${key}`, options)
    this.key = key
  }
}

export class UploadMissing extends Error {
  override readonly name = 'UploadMissing'
  readonly key: StorageKey
  constructor(key: StorageKey, options?: ErrorOptions) {
    super(`the store holds fewer upload bytes under key ${key} than were recorded`, options)
    this.key = key
  }
}

/** The store has no space or quota left; earlier bytes stay readable. */
export class StoreFull extends Error {
  override readonly name = 'StoreFull'
}

export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable'
  readonly retryable: boolean
  constructor(message: string, options: ErrorOptions & { retryable: boolean }) {
    super(message, options)
    this.retryable = options.retryable
  }
}
