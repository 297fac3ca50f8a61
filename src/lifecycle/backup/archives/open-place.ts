/** Whether a place on the command line is a folder or an archive. */
import type { BackupSource, BackupTarget } from './backup-place.ts'
import { BackupRefused } from '../errors.ts'
import { openFolderSource } from './folder-source.ts'
import { openFolderTarget } from './folder-target.ts'
import { openTarSource } from './tar-source.ts'
import { openTarTarget } from './tar-target.ts'

const compressed = /\.(?:tgz|txz|tbz2?|tar\.[a-z0-9]+)$/i

/** Throws `BackupRefused` for the name of a compressed archive, which would become the name of a folder. */
function isArchive(place: string): boolean {
  if (compressed.test(place)) {
    throw new BackupRefused(
      `${place} is the name of a compressed archive, which lading backup neither writes nor reads; name a folder, or an archive whose name ends in .tar (decompress one that was compressed later)`,
    )
  }
  return place.endsWith('.tar')
}

export interface TargetOptions {
  readonly place: string
  readonly name: string
  readonly installation: string
  readonly now: number
}

/** Throws `BackupRefused`. */
export async function openBackupTarget(options: TargetOptions): Promise<BackupTarget> {
  const { place, name, installation, now } = options
  if (isArchive(place)) return await openTarTarget({ file: place, name, now })
  return await openFolderTarget({ folder: place, name, installation })
}

/** Throws `BackupRefused`. `name` is that of a snapshot; without it the last complete one is opened. */
export async function openBackupSource(place: string, name: string | undefined): Promise<BackupSource> {
  return await (isArchive(place) ? openTarSource(place, name) : openFolderSource(place, name))
}
