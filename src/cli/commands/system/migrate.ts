/** `lading migrate`: upgrades the database to the schema of this version. */
import { loadConfig } from '../../../config/load.ts'
import { systemClock } from '../../../lib/clock.ts'
import { readArguments } from '../../frame/arguments.ts'
import type { Command } from '../../frame/command.ts'
import { createHostLogger } from '../../services/host-logger.ts'
import { createOutput } from '../../frame/output.ts'
import { withProgress } from '../../frame/progress.ts'
import { explainFailure } from '../../services/service-command.ts'

export const migrateCommand: Command = {
  name: 'migrate',
  summary: 'Upgrade the database to the schema of this version. `serve` does the same when it starts.',
  configurable: true,
  jsonShape: '{"from": string | null, "to": string, "applied": string[]}',
  run: async ({ argv, json, host }) => {
    const { rest } = readArguments(argv, migrateCommand)
    const { config } = loadConfig({ ...host.sources, argv: rest })
    try {
      const [{ openMetadata }, { migrate, readMigrationState }] = await Promise.all([
        import('../../../app/open-metadata.ts'),
        import('../../../metadata/migrations/migrate.ts'),
      ])
      await using metadata = await openMetadata(config, {
        clock: systemClock,
        logger: createHostLogger(host),
        upgrade: false,
      })
      const before = await readMigrationState(metadata.reader)
      await withProgress({ host, json }, (show) =>
        metadata.transact((tx) =>
          migrate(tx, systemClock.now(), (name) => show(`upgrading the schema to ${name}`)),
        ),
      )
      const { applied } = await readMigrationState(metadata.reader)
      const [from = null, to = ''] = [before.applied.at(-1), applied.at(-1)]
      const line =
        before.pending.length === 0
          ? `the database is already at ${to}`
          : `upgraded the database from ${from ?? 'nothing'} to ${to}`
      createOutput(host, json).print({ from, to, applied: before.pending }, line)
      return 0
    } catch (error) {
      throw explainFailure(error, config)
    }
  },
}
