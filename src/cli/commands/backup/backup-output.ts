/** The output that the backup commands share: messages for failures and the list of damaged content. */
import type { Config } from '../../../config/schema.ts'
import { BackupRefused } from '../../../lifecycle/backup/errors.ts'
import type { DamagedContent } from '../../../lifecycle/backup/run-backup.ts'
import { DamagedBackup } from '../../../lifecycle/backup/run-restore.ts'
import { DatabaseTaken } from '../../../metadata/backup/restore-metadata.ts'
import { SnapshotInvalid } from '../../../metadata/backup/snapshot-file.ts'
import { CliError } from '../../frame/command.ts'
import type { CliHost } from '../../frame/command.ts'
import { explainFailure } from '../../services/service-command.ts'
import { noSpace, sqliteFull } from '../../services/start-failure.ts'

interface Audience {
  readonly host: CliHost
  readonly json: boolean
}

/** Lists the damaged content on standard error, except with `--json`, where it is part of the result. */
export function warnOfDamaged({ host, json }: Audience, damaged: readonly DamagedContent[]): void {
  for (const line of json ? [] : damaged.flatMap(describeDamaged)) host.err(line)
}

function describeDamaged({ digest, reason, repositories, manifests }: DamagedContent): string[] {
  return [
    `damaged: blob ${digest}: ${reason}`,
    ...repositories.map((repository) => `  in repository ${repository}`),
    ...manifests.map((manifest) => `  in manifest ${manifest.repository}@${manifest.digest}`),
  ]
}

/** The errors whose messages already say what to do. */
const refusals = [BackupRefused, SnapshotInvalid, DatabaseTaken, DamagedBackup]

export interface FailedBackup {
  /** The path of the backup. */
  readonly place: string
  /** The folder or archive in which the command writes its own files. */
  readonly target: string
  /** Absent for a command that reads no configuration. */
  readonly config?: Config
}

export function explainBackupFailure(error: unknown, { place, target, config }: FailedBackup): Error {
  for (const Refusal of refusals) {
    if (error instanceof Refusal) return new CliError(error.message, { cause: error })
  }
  if (isFull(error)) {
    return new CliError(`no space left in ${target} (${error.message}); free space on its disk`, {
      cause: error,
    })
  }
  // Errors of the database and the store are already translated, so this one is about the backup's own files.
  if (isSystemError(error)) {
    const isFile = 'code' in error && error.code === 'ENOTDIR'
    const advice = isFile
      ? 'name a folder, or an archive whose name ends in .tar'
      : 'check its disk and who owns it'
    const path = 'path' in error && typeof error.path === 'string' && !isFile ? error.path : place
    return new CliError(`cannot use ${path} (${error.message}); ${advice}`, { cause: error })
  }
  if (config !== undefined) return explainFailure(error, config)
  return error instanceof Error ? error : new Error(String(error))
}

/** Whether the disk of the command's own files is full, including the copy of the database that SQLite writes. */
function isFull(error: unknown): error is Error {
  if (!(error instanceof Error)) return false
  if ('errcode' in error) return (Number(error.errcode) & 0xff) === sqliteFull
  return 'code' in error && typeof error.code === 'string' && noSpace.has(error.code)
}

function isSystemError(error: unknown): error is Error {
  return error instanceof Error && 'syscall' in error
}
