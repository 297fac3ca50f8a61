/** Decides whether a place on the command line is a folder or an archive. */
import type { BackupSource, BackupTarget } from './backup-place.ts'
import { BackupRefused } from '../errors.ts'
import { openFolderSource } from './folder-source.ts'
import { openFolderTarget } from './folder-target.ts'
import { openTarSource } from './tar-source.ts'
import { openTarTarget } from './tar-target.ts'

const compressed = /\.(?:tgz|txz|tbz2?|tar\.[a-z0-9]+)$/i

/** Throws `BackupRefused` for the name of a compressed archive, which would otherwise become the name of a folder. */
function isArchive(place: string): boolean {
  if (compressed.test(place)) {
    throw new BackupRefused(
      `${place} is the name of a compressed archive, which lading backup cannot write or read; name a folder, or an archive whose name ends in .tar (decompress a compressed archive first)`,
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

/** Opens a folder or an archive for writing. Throws `BackupRefused`. */
export async function openBackupTarget(options: TargetOptions): Promise<BackupTarget> {
  const { place, name, installation, now } = options
  if (isArchive(place)) return await openTarTarget({ file: place, name, now })
  return await openFolderTarget({ folder: place, name, installation })
}

/** Opens the snapshot `name`, or the last complete one. Throws `BackupRefused`. */
export async function openBackupSource(place: string, name: string | undefined): Promise<BackupSource> {
  return await (isArchive(place) ? openTarSource(place, name) : openFolderSource(place, name))
}
