/** The only place that translates errno into an error of the store. */
import { StoreFull, StoreUnavailable } from '../../errors.ts'

const noSpace = new Set(['ENOSPC', 'EDQUOT'])
/** Temporary conditions; all others need an operator. */
const passing = new Set(['EAGAIN', 'EBUSY', 'EINTR', 'EMFILE', 'ENFILE', 'ENOMEM', 'ESTALE', 'ETIMEDOUT'])

/** Returns errors other than system errors (a sink's, a signal's reason, the store's own) unchanged. */
export function translateError(error: unknown, action: string): unknown {
  const code = errnoOf(error)
  if (code === undefined) return error
  if (noSpace.has(code)) {
    return new StoreFull(
      `the blob store has no space left to ${action} (${code}): free space or enlarge its volume`,
      {
        cause: error,
      },
    )
  }
  return new StoreUnavailable(`the blob store cannot ${action} (${code})`, {
    cause: error,
    retryable: passing.has(code),
  })
}

export async function translated<T>(action: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw translateError(error, action)
  }
}

/** Whether the error means "no such file". */
export function isAbsent(error: unknown): boolean {
  return errnoOf(error) === 'ENOENT'
}

/** Returns the code of a system error, `undefined` for any other error. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
