/** Translates driver errors into refusals; called once, where an error reply is written. */
import { StoreFull, StoreUnavailable } from '../blob-store/errors.ts'
import { Conflict, MetadataFull, MetadataUnavailable } from '../metadata/errors.ts'
import { OwnerRenamed } from '../metadata/owners/owner-errors.ts'
import { InsufficientStorageError, OwnerRenamedError, UnavailableError } from './errors.ts'

/** Returns the error that clients may see; other errors than driver faults pass unchanged. */
export function translateDriverError(error: unknown): unknown {
  if (error instanceof StoreFull || error instanceof MetadataFull) {
    return new InsufficientStorageError({ cause: error })
  }
  if (
    error instanceof StoreUnavailable ||
    error instanceof MetadataUnavailable ||
    error instanceof Conflict
  ) {
    return new UnavailableError({ cause: error })
  }
  if (error instanceof OwnerRenamed) return new OwnerRenamedError(error, { cause: error })
  return error
}
