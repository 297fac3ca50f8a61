/**
 * Translates PostgreSQL's SQLSTATE codes to this folder's errors;
 * https://www.postgresql.org/docs/15/errcodes-appendix.html.
 */
import { Conflict, MetadataFull, MetadataUnavailable } from '../../errors.ts'

/** serialization failure, deadlock, foreign key, unique, lock not available */
const conflicts = new Set(['40001', '40P01', '23503', '23505', '55P03'])
/** The statement took too long, the server is starting or stopping, too many connections, a standby. */
const transientCodes = new Set(['57014', '57P01', '57P02', '57P03', '53300', '25006'])
const diskFull = '53100'
const connectionClass = '08'
/** PostgreSQL did not answer at all: refused, reset, unreachable, unknown host. */
const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT',
])
// The driver's errors that have no code.
const connectionMessage =
  /^(?:timeout exceeded when trying to connect|Connection terminated|Client has encountered)/

/** Translates faults of the server and its data. Other errors, such as wrong SQL, are returned unchanged. */
export function translatePostgresError(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (conflicts.has(code)) {
    return new Conflict('the transaction conflicts with another one, or with rows that it depends on', {
      cause: error,
    })
  }
  if (code === diskFull)
    return new MetadataFull('no space is left for the PostgreSQL database', { cause: error })
  if (isUnavailable(error, code)) {
    return new MetadataUnavailable('PostgreSQL does not answer', { cause: error, retryable: true })
  }
  return error
}

function isUnavailable(error: Error, code: string): boolean {
  if (transientCodes.has(code) || code.startsWith(connectionClass) || networkCodes.has(code)) return true
  return connectionMessage.test(error.message)
}
