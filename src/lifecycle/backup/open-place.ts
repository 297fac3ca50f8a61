/** Whether a place on the command line is a folder or an archive. */
import type { BackupSource, BackupTarget } from './backup-place.ts'
import { openFolderSource } from './folder-source.ts'
import { openFolderTarget } from './folder-target.ts'
import { openTarSource } from './tar-source.ts'
import { openTarTarget } from './tar-target.ts'

function isArchive(place: string): boolean {
  return place.endsWith('.tar')
}

export interface TargetOptions {
  readonly place: string
  readonly name: string
  readonly installation: string
  readonly now: number
}

/** Throws `BackupRefused`. */
export function openBackupTarget({ place, name, installation, now }: TargetOptions): Promise<BackupTarget> {
  if (isArchive(place)) return openTarTarget({ file: place, name, now })
  return openFolderTarget({ folder: place, name, installation })
}

/** Throws `BackupRefused`. `name` is that of a snapshot; without it the last complete one is opened. */
export function openBackupSource(place: string, name: string | undefined): Promise<BackupSource> {
  return isArchive(place) ? openTarSource(place, name) : openFolderSource(place, name)
}
