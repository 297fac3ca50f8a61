/** Explains a failed start: finds the configuration key to change from the error and its causes. */
import { resolve, sep } from 'node:path'
import { StoreMismatchError } from '../../app/pair-store.ts'
import type { Config } from '../../config/schema.ts'
import { FolderError } from '../../lib/folders.ts'
import { UnfinishedRestoreError } from '../../lifecycle/backup/restore-marker.ts'
import { damageAdvice } from '../../metadata/dialects/sqlite/errors.ts'
import { MetadataFull } from '../../metadata/errors.ts'
import { CliError } from '../frame/command.ts'
import { messageOf } from '../../lib/message-of.ts'

/** An error with the fields that Node, the resolver and `pg` add. */
interface SystemError extends Error {
  readonly code?: string
  readonly errcode?: number
  readonly syscall?: string
  readonly hostname?: string
  readonly path?: string
  readonly port?: number
}

/** Returns an error whose message starts with the key. If no rule matches, it quotes the message of the given error. */
export function explainStartFailure(error: unknown, config: Config): CliError {
  for (const link of causesOf(error)) {
    if (link instanceof StoreMismatchError || link instanceof UnfinishedRestoreError)
      return new CliError(link.message, { cause: error })
    const message =
      explainListen(link, config) ??
      explainSpace(link, config) ??
      explainData(link, config) ??
      explainDatabase(link, config)
    if (message !== undefined) return new CliError(message, { cause: error })
  }
  return new CliError(`cannot start: ${messageOf(error)}`, {
    cause: error,
  })
}

function* causesOf(error: unknown): Generator<SystemError> {
  for (let link = error; link instanceof Error; link = link.cause) {
    yield link
    if (link instanceof AggregateError) yield* link.errors.flatMap((part: unknown) => [...causesOf(part)])
  }
}

function explainListen(
  { code, syscall, hostname, port }: SystemError,
  { http, metrics }: Config,
): string | undefined {
  const isHost = hostname === http.host
  if (syscall === 'listen' && port !== undefined && port === metrics.port && port !== http.port) {
    return `metrics.port: cannot listen on ${metrics.host}:${port} (${code}); choose another with --metrics.port or LADING_METRICS_PORT`
  }
  if (syscall !== 'listen' && !(syscall === 'getaddrinfo' && isHost)) return undefined
  switch (code) {
    case 'EADDRINUSE':
      return `http.port: ${http.host}:${http.port} is in use; choose another with --port or LADING_HTTP_PORT`
    case 'EACCES':
      return `http.port: no permission to listen on port ${http.port}; choose one above 1023 with --port or LADING_HTTP_PORT`
    default:
      return `http.host: cannot listen on ${http.host} (${code}); choose an address of this machine with --host or LADING_HTTP_HOST`
  }
}

export const noSpace: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT'])
/** SQLite's primary result code SQLITE_FULL. */
export const sqliteFull = 13

/** `MetadataFull` includes the I/O error that SQLite reports if it has no space for its shared index. */
function explainSpace(link: SystemError, { data }: Config): string | undefined {
  const { code = '', errcode = 0 } = link
  const isSqliteFull = code === 'ERR_SQLITE_ERROR' && (errcode & 0xff) === sqliteFull
  const isFull = link instanceof MetadataFull || noSpace.has(code) || isSqliteFull
  return isFull ? `data: no space left in ${data} (${link.message}); free space on its disk` : undefined
}

/** SQLite's primary result codes SQLITE_CORRUPT and SQLITE_NOTADB. */
const damagedCodes = new Set([11, 26])

function explainData(link: SystemError, { data }: Config): string | undefined {
  const { code, errcode = 0, path, message } = link
  if (code === 'ERR_SQLITE_ERROR' && damagedCodes.has(errcode & 0xff))
    return `data: cannot use the database in ${data}: it is damaged (${message}); ${damageAdvice}`
  if (code === 'ERR_SQLITE_ERROR')
    return `data: cannot use the database in ${data} (${message}); choose another folder with --data or LADING_DATA`
  if (path === undefined || !isAround(resolve(path), resolve(data))) return undefined
  const why = link instanceof FolderError ? describeFolder(link, data) : ` (${message})`
  return `data: cannot use the folder ${data}${why}; choose another with --data or LADING_DATA`
}

function describeFolder({ path, reason, code }: FolderError, data: string): string {
  return path === resolve(data) ? `: ${reason} (${code})` : `: ${path}: ${reason} (${code})`
}

/** Whether the path is inside the folder, or a parent in which the folder cannot be created. */
function isAround(path: string, folder: string): boolean {
  return `${path}${sep}`.startsWith(`${folder}${sep}`) || folder.startsWith(`${path}${sep}`)
}

const databaseCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
])
/** SQLSTATE classes: connection exception, invalid authorization, invalid catalog name. */
const databaseStates = /^(08|28|3D)[0-9A-Z]{3}$/

function explainDatabase({ code = '', message }: SystemError, { metadata }: Config): string | undefined {
  if (metadata.driver !== 'postgres') return undefined
  if (!databaseCodes.has(code) && !databaseStates.test(code)) return undefined
  return `metadata.url: cannot use the database (${message}); check LADING_METADATA_URL`
}
