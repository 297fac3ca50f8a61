/** Random identifiers as a dependency, so that tests can name what they expect. */
import { randomBytes, randomUUID } from 'node:crypto'

export interface Ids {
  /** Public id of an upload session; unguessable, because it is part of a URL. */
  uploadId(): string
  /** Key of content in a blob store: 32 lower-case hex characters, never reused. */
  storageKey(): string
  /** Id of one request, for logs, the reply header and error details. */
  requestId(): string
}

export const systemIds: Ids = {
  uploadId: () => randomUUID(),
  storageKey: () => randomBytes(16).toString('hex'),
  requestId: createRequestIds(),
}

/** A random prefix per process and a counter: unique, and much cheaper than a UUID per request. */
function createRequestIds(): () => string {
  const prefix = randomBytes(5).toString('hex')
  let count = 0
  return () => `${prefix}-${(count++).toString(36)}`
}
