/** Shared by the commands for backups: messages of failures and the list of damaged content. */
import type { Config } from '../../../config/schema.ts'
import { BackupRefused } from '../../../lifecycle/backup/errors.ts'
import type { DamagedContent } from '../../../lifecycle/backup/run-backup.ts'
import { DamagedBackup } from '../../../lifecycle/backup/run-restore.ts'
import { DatabaseTaken } from '../../../metadata/backup/restore-metadata.ts'
import { SnapshotInvalid } from '../../../metadata/backup/snapshot-file.ts'
import { CliError } from '../../frame/command.ts'
import type { CliHost } from '../../frame/command.ts'
import { explainFailure } from '../../services/service-command.ts'

interface Audience {
  readonly host: CliHost
  readonly json: boolean
}

/** On standard error; with `--json` the result has it. */
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

/** Their messages say what to do. */
const refusals = [BackupRefused, SnapshotInvalid, DatabaseTaken, DamagedBackup]

/** `config` is absent for a command that reads none. */
export function explainBackupFailure(
  error: unknown,
  { place, config }: { readonly place: string; readonly config?: Config },
): Error {
  for (const Refusal of refusals) {
    if (error instanceof Refusal) return new CliError(error.message, { cause: error })
  }
  // Errors of the database and of the store have been translated; what is left is that of the backup's own files.
  if (isSystemError(error)) {
    const isFile = 'code' in error && error.code === 'ENOTDIR'
    const advice = isFile
      ? 'name a folder, or an archive whose name ends in .tar'
      : 'check its disk and who owns it'
    return new CliError(`cannot use ${place} (${error.message}); ${advice}`, { cause: error })
  }
  if (config !== undefined) return explainFailure(error, config)
  return error instanceof Error ? error : new Error(String(error))
}

function isSystemError(error: unknown): error is Error {
  return error instanceof Error && 'syscall' in error
}
