/** `snapshot.json`: the last file of a snapshot; without it, the snapshot is incomplete. */
import type { SnapshotCounts } from '../../../metadata/backup/snapshot-file.ts'
import { parseDigest, type Digest } from '../../../oci/digest.ts'
import { BackupRefused } from '../errors.ts'
import { messageOf } from '../../../lib/message-of.ts'

/** Raised when older versions can no longer read the format. */
const formatVersion = 1

export interface SnapshotInfo extends SnapshotCounts {
  /** The UTC time of the snapshot, which is also its name: `20261130T091500.123Z`. */
  readonly name: string
  readonly installation: string
  /** The version of Lading that wrote the snapshot. */
  readonly lading: string
  /** The last migration of the snapshot's metadata. */
  readonly schema: string
  readonly created: string
  readonly metadata: { readonly bytes: number; readonly digest: Digest }
  /** Blobs that the metadata names but that were damaged in the store: the backup does not contain them. */
  readonly damaged: readonly Digest[]
}

const namePattern =
  /^(?<year>\d{4})(?<month>\d\d)(?<day>\d\d)T(?<hour>\d\d)(?<minute>\d\d)(?<rest>\d\d\.\d{3}Z)$/

export function formatSnapshotName(ms: number): string {
  return new Date(ms).toISOString().replaceAll(/[-:]/g, '')
}

export function isSnapshotName(text: string): boolean {
  return namePattern.test(text)
}

/**
 * Returns `name`, or the name that follows `last` if `name` does not sort after it: the last snapshot must have the last name.
 */
export function nameAfter(last: string | undefined, name: string): string {
  if (last === undefined || last < name) return name
  const { year, month, day, hour, minute, rest } = namePattern.exec(last)?.groups ?? {}
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${rest}`)
  return Number.isNaN(time) ? name : formatSnapshotName(time + 1)
}

export function formatSnapshotInfo(info: SnapshotInfo): string {
  return `${JSON.stringify({ format: formatVersion, ...info, complete: true }, undefined, 2)}\n`
}

const otherBackup = 'use another snapshot or another backup'

/** Throws `BackupRefused` unless the text describes a complete snapshot in a format that this version knows. */
export function parseSnapshotInfo(text: string, place: string): SnapshotInfo {
  const fields = parseObject(text, place)
  const { format, complete } = fields
  if (typeof format === 'number' && format > formatVersion) {
    throw new BackupRefused(
      `${place} has format ${format}, and this version of Lading reads up to ${formatVersion}; use the version that wrote it (${String(fields['lading'])}), or a newer one`,
    )
  }
  if (format !== formatVersion || complete !== true)
    throw new BackupRefused(`${place} is damaged; ${otherBackup}`)
  try {
    return readFields(fields)
  } catch (error) {
    throw new BackupRefused(`${place} is damaged: ${messageOf(error)}; ${otherBackup}`, { cause: error })
  }
}

type Fields = Readonly<Record<string, unknown>>

function parseObject(text: string, place: string): Fields {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value as Fields
  } catch (error) {
    throw new BackupRefused(`${place} is damaged: it is not JSON; ${otherBackup}`, { cause: error })
  }
  throw new BackupRefused(`${place} is damaged: it is not a JSON object; ${otherBackup}`)
}

function readFields(fields: Fields): SnapshotInfo {
  const metadata = fields['metadata'] as Fields
  const name = readText(fields, 'name')
  if (!isSnapshotName(name)) throw new TypeError(`${name} is not the name of a snapshot`)
  return {
    name,
    installation: readText(fields, 'installation'),
    lading: readText(fields, 'lading'),
    schema: readText(fields, 'schema'),
    created: readText(fields, 'created'),
    repositories: readCount(fields, 'repositories'),
    manifests: readCount(fields, 'manifests'),
    blobs: readCount(fields, 'blobs'),
    bytes: readCount(fields, 'bytes'),
    metadata: { bytes: readCount(metadata, 'bytes'), digest: parseDigest(readText(metadata, 'digest')) },
    damaged: (fields['damaged'] as readonly string[]).map(parseDigest),
  }
}

function readText(fields: Fields, name: string): string {
  const value = fields[name]
  if (typeof value !== 'string' || value === '') throw new TypeError(`${name} is missing`)
  return value
}

function readCount(fields: Fields, name: string): number {
  const value = fields[name]
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw new TypeError(`${name} is not a count`)
  }
  return value
}
