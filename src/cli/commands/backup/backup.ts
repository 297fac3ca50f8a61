/** `lading backup`: copies the database and the blobs while the registry serves. */
import { randomBytes } from 'node:crypto'
import { realpath } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname, sep } from 'node:path'
import { loadConfig } from '../../../config/load.ts'
import type { Config } from '../../../config/schema.ts'
import { systemClock } from '../../../lib/clock.ts'
import { systemIds } from '../../../lib/ids.ts'
import { findMissingFolders } from '../../../lib/folders.ts'
import { formatCount } from '../../../lib/format-count.ts'
import type { BackupResult } from '../../../lifecycle/backup/run-backup.ts'
import { readArguments } from '../../frame/arguments.ts'
import { formatContent, placeArgument } from './backup-forms.ts'
import { CliError, failed } from '../../frame/command.ts'
import type { CliHost, Command } from '../../frame/command.ts'
import { createHostLogger } from '../../services/host-logger.ts'
import { createOutput } from '../../frame/output.ts'
import { withProgress } from '../../frame/progress.ts'
import { readVersion } from '../server/version.ts'

export const backupCommand: Command = {
  name: 'backup',
  summary:
    'Copy the database and the blobs, with or without a running server: into a folder, where later backups add only new content, or into a new archive if the name ends in .tar.',
  failsIf: 'damaged blobs had to be left out',
  arguments: [placeArgument],
  configurable: true,
  hintsAtKeys: true,
  jsonShape:
    '{"name": string, "installation": string, "lading": string, "schema": string, "created": string, "repositories": number, "manifests": number, "blobs": number, "bytes": number, "metadata": {"bytes": number, "digest": string}, "copied": number, "copiedBytes": number, "kept": number, "damaged": [{"digest": string, "reason": string, "repositories": string[], "manifests": [{"repository": string, "digest": string}]}]}',
  run: async ({ argv, json, host }) => {
    const { words, rest } = readArguments(argv, backupCommand)
    const [place = ''] = words
    const { config } = loadConfig({ ...host.sources, argv: rest })
    // Loads the code on demand, so that the other commands start without the registry.
    const { explainBackupFailure, warnOfDamaged } = await import('./backup-output.ts')
    try {
      const result = await withProgress({ host, json }, (onProgress) =>
        backUp(config, { place, host, onProgress }),
      )
      warnOfDamaged({ host, json }, result.damaged)
      createOutput(host, json).print(result, describeBackup(result, place))
      return result.damaged.length === 0 ? 0 : failed
    } catch (error) {
      throw explainBackupFailure(error, { place, target: place, config })
    }
  },
}

interface BackUpOptions {
  readonly place: string
  readonly host: CliHost
  readonly onProgress: (text: string) => void
}

async function backUp(config: Config, { place, host, onProgress }: BackUpOptions): Promise<BackupResult> {
  const [dataFolder, openings, { openMetadata }, { openStore }, { runBackup }] = await Promise.all([
    import('../../../app/data-folder.ts'),
    import('../../services/open-services.ts'),
    import('../../../app/open-metadata.ts'),
    import('../../../app/open-store.ts'),
    import('../../../lifecycle/backup/run-backup.ts'),
  ])
  openings.requireDatabase(config)
  await requireStore(config)
  await requireOutside(dataFolder.storeFolder(config), place)
  const logger = createHostLogger(host)
  await using metadata = await openMetadata(config, { clock: systemClock, logger, upgrade: false })
  await openings.requireCurrent(metadata)
  await using store = await openStore(config, { clock: systemClock, ids: systemIds, logger })
  return await runBackup(
    {
      metadata,
      store,
      databaseFile: dataFolder.databaseFile(config),
      locateBlob: (blob) => dataFolder.blobFile(config, blob),
      clock: systemClock,
      version: readVersion(),
      holder: `${hostname()}/${process.pid}/${randomBytes(4).toString('hex')}`,
      hasEnded,
      onProgress,
    },
    place,
  )
}

async function requireStore(config: Config): Promise<void> {
  if (config.storage.driver === 'memory') {
    throw new CliError(
      'storage.driver: blobs in the memory of a server cannot be backed up; set it to filesystem',
    )
  }
  const { peekStore } = await import('../../../app/open-store.ts')
  const { installationId, isEmpty } = await peekStore(config)
  if (installationId !== undefined || !isEmpty) return
  throw new CliError(
    `data: there is no blob store in ${config.data}; mount its volume, or name the folder of the registry with --data or LADING_DATA`,
  )
}

/** Throws `CliError` for a backup inside the store, which would be lost with it and collide with its blobs. */
async function requireOutside(store: string, place: string): Promise<void> {
  const [topmost] = await findMissingFolders(place)
  const existing = topmost === undefined ? place : dirname(topmost)
  const [inside, from] = [await realpath(existing), await realpath(store)]
  if (inside !== from && !inside.startsWith(`${from}${sep}`)) return
  throw new CliError(
    `${place} is inside the blob store ${store}, and a backup there would be lost with it; name a folder or an archive outside the store`,
  )
}

/**
 * Whether the process that holds a backup has ended. A process on another machine counts as running, because its state is
 * unknown. A holder with the number of this process is an earlier process that has ended.
 */
function hasEnded(holder: string): boolean {
  const [host, pid] = holder.split('/')
  if (host !== hostname()) return false
  return Number(pid) === process.pid || !isRunning(Number(pid))
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function describeBackup(result: BackupResult, place: string): string[] {
  const { name, bytes, copied, copiedBytes, kept, damaged } = result
  return [
    `snapshot ${name} in ${place}`,
    `${formatContent(result)} (${formatCount(bytes, 'byte')})`,
    `copied ${formatCount(copied, 'blob')} (${formatCount(copiedBytes, 'byte')}); the backup already held ${kept}`,
    ...(damaged.length === 0
      ? []
      : [`left out because they are damaged: ${formatCount(damaged.length, 'blob')}`]),
  ]
}
