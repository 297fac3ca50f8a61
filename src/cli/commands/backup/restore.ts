/** `lading restore`: restores a backup into an empty installation, or only a lost database whose store is intact. */
import { loadConfig } from '../../../config/load.ts'
import type { Config } from '../../../config/schema.ts'
import { systemClock } from '../../../lib/clock.ts'
import { systemIds } from '../../../lib/ids.ts'
import { formatCount } from '../../../lib/format-count.ts'
import type { RestoreDeps, RestoreOptions, RestoreResult } from '../../../lifecycle/backup/run-restore.ts'
import type { RestoreDatabase } from '../../../metadata/backup/restore-metadata.ts'
import { readArguments } from '../../frame/arguments.ts'
import { formatContent, placeArgument, snapshotOption } from './backup-forms.ts'
import { CliError } from '../../frame/command.ts'
import type { CliHost, Command, CommandOption } from '../../frame/command.ts'
import { createHostLogger } from '../../services/host-logger.ts'
import { createOutput } from '../../frame/output.ts'
import { withProgress } from '../../frame/progress.ts'

const options: readonly CommandOption[] = [
  snapshotOption,
  {
    name: '--database-only',
    type: 'switch',
    summary:
      'Restore only the database, if it was lost or moved away, beside its own store. The store keeps content that is newer than the snapshot.',
  },
  {
    name: '--skip-damaged',
    type: 'switch',
    summary:
      'Skip damaged blobs of the backup and restore everything else. Clients must push the damaged blobs again.',
  },
]

export const restoreCommand: Command = {
  name: 'restore',
  summary:
    'Restore a backup into an empty installation, on SQLite or PostgreSQL, regardless of the database it came from. Run it again if it was interrupted.',
  arguments: [placeArgument],
  options,
  configurable: true,
  hintsAtKeys: true,
  jsonShape:
    '{"snapshot": string, "installation": string, "repositories": number, "manifests": number, "blobs": number, "written": number, "writtenBytes": number, "damaged": [{"digest": string, "reason": string, "repositories": string[], "manifests": [{"repository": string, "digest": string}]}]}',
  run: async ({ argv, json, host }) => {
    const given = readArguments(argv, restoreCommand)
    const { words, rest } = given
    const [place = ''] = words
    const { config } = loadConfig({ ...host.sources, argv: rest })
    const { explainBackupFailure, warnOfDamaged } = await import('./backup-output.ts')
    const asked = {
      place,
      snapshot: given.value('--snapshot'),
      databaseOnly: given.has('--database-only'),
      skipDamaged: given.has('--skip-damaged'),
    }
    try {
      const result = await withProgress({ host, json }, (onProgress) =>
        restore(config, asked, { host, onProgress }),
      )
      warnOfDamaged({ host, json }, result.damaged)
      createOutput(host, json).print(result, describeRestore(result, config))
      return 0
    } catch (error) {
      throw explainBackupFailure(error, { place, target: config.data, config })
    }
  },
}

interface Audience {
  readonly host: CliHost
  readonly onProgress: (text: string) => void
}

async function restore(
  config: Config,
  options: RestoreOptions,
  { host, onProgress }: Audience,
): Promise<RestoreResult> {
  if (config.storage.driver === 'memory') {
    throw new CliError('storage.driver: blobs in memory are lost at exit; set it to filesystem for a restore')
  }
  const [{ databaseFile }, { runRestore }] = await Promise.all([
    import('../../../app/data-folder.ts'),
    import('../../../lifecycle/backup/run-restore.ts'),
  ])
  await using resources = new AsyncDisposableStack()
  return await runRestore(
    {
      database: await openDatabase(config, { host, resources }),
      store: await describeStore(config, host),
      clock: systemClock,
      draft: `${databaseFile(config)}.restore`,
      onProgress,
    },
    options,
  )
}

async function openDatabase(
  config: Config,
  { host, resources }: { readonly host: CliHost; readonly resources: AsyncDisposableStack },
): Promise<RestoreDatabase> {
  const [{ databaseFile }, { openMetadata }, targets] = await Promise.all([
    import('../../../app/data-folder.ts'),
    import('../../../app/open-metadata.ts'),
    import('../../../metadata/backup/restore-metadata.ts'),
  ])
  if (config.metadata.driver === 'sqlite') {
    return targets.sqliteRestoreDatabase(databaseFile(config), systemClock)
  }
  const logger = createHostLogger(host)
  const metadata = resources.use(await openMetadata(config, { clock: systemClock, logger, upgrade: false }))
  return targets.postgresRestoreDatabase(metadata, systemClock)
}

async function describeStore(config: Config, host: CliHost): Promise<RestoreDeps['store']> {
  const { openStore, peekStore } = await import('../../../app/open-store.ts')
  const open = () => openStore(config, { clock: systemClock, ids: systemIds, logger: createHostLogger(host) })
  return {
    open,
    // Does not open the store, because that creates folders, and a refused restore must change nothing.
    async readState() {
      const { installationId: installation, isEmpty } = await peekStore(config)
      return { installation, isEmpty }
    },
  }
}

function describeRestore(result: RestoreResult, config: Config): string[] {
  const { snapshot, written, writtenBytes, damaged } = result
  return [
    `restored snapshot ${snapshot} into ${config.data}`,
    `${formatContent(result)}; wrote ${formatCount(written, 'blob')} (${formatCount(writtenBytes, 'byte')})`,
    ...(damaged.length === 0
      ? []
      : [`skipped because they are damaged: ${formatCount(damaged.length, 'blob')}; push them again`]),
  ]
}
