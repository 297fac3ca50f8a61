import { expect, test } from 'vitest'

import { backupRounds, type BackupRoundsOptions, type BackupRoundsReport } from '../crash/backup-rounds.ts'
import { createPostgresDatabase } from '../support/parts/postgres-database.ts'
import { chooseSeed } from '../support/content/seeded-random.ts'
import { report, type Figures } from './report.ts'

const seed = chooseSeed()
const claim = `Clients push images without a pause while \`lading backup\` runs beside the server and is killed with SIGKILL at random
points, then run again to its end. The backup is proven by \`lading backup verify\` and restored, with as many kills. Each image that was
acknowledged before the last backup began is pulled from the restored registry, by tag, by digest and blob by blob, with the right digests.`

const kinds = ['folder', 'archive'] as const

function figuresOf(where: string, found: BackupRoundsReport): Figures {
  return {
    [`${where}: kills of backup and of restore`]: `${found.killedBackups} and ${found.killedRestores}`,
    [`${where}: images pulled from what was restored`]: found.images,
    [`${where}: images pushed while backups ran`]: found.imagesMeanwhile,
    [`${where}: problems`]: found.problems.length,
  }
}

async function expectNothingLost(
  note: (figures: Figures) => void,
  where: string,
  options: BackupRoundsOptions,
): Promise<void> {
  const found = await backupRounds(options)
  note(figuresOf(where, found))
  expect(found.problems).toEqual([])
  expect(found).toMatchObject({ killedBackups: options.kills, killedRestores: options.kills })
}

test(`60 kills of backups and restores lose nothing that was acknowledged (LADING_TEST_SEED=${seed})`, async () => {
  await report({ name: 'backup', claim }, async (note) => {
    note({ seed })
    for (const kind of kinds) await expectNothingLost(note, kind, { seed, kind, kills: 15, images: 200 })
  })
})

// node scripts/postgres.ts -- npx vitest run --project proof test/proof/backup.test.ts
test.skipIf(process.env['LADING_TEST_POSTGRES_URL'] === undefined)(
  `the same from SQLite into PostgreSQL and back (LADING_TEST_SEED=${seed})`,
  async () => {
    await report({ name: 'backup-postgres', claim }, async (note) => {
      await using stack = new AsyncDisposableStack()
      const openTarget = async () => {
        const { url } = stack.use(await createPostgresDatabase())
        return { LADING_METADATA_DRIVER: 'postgres', LADING_METADATA_URL: url }
      }
      const common = { seed, kills: 8, images: 100 }
      note({ seed })
      for (const kind of kinds) {
        await expectNothingLost(note, `SQLite to PostgreSQL, ${kind}`, { ...common, kind, openTarget })
        await expectNothingLost(note, `PostgreSQL to SQLite, ${kind}`, {
          ...common,
          kind,
          from: await openTarget(),
        })
      }
    })
  },
)
