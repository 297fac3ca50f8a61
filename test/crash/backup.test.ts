import { expect, test } from 'vitest'

import { chooseSeed } from '../support/content/seeded-random.ts'
import { backupRounds } from './backup-rounds.ts'

const seed = chooseSeed()

test.each(['folder', 'archive'] as const)(
  `after kill -9 of backups into a %s and of restores, the same command completes the work (LADING_TEST_SEED=${seed})`,
  async (kind) => {
    const report = await backupRounds({ seed, kind, kills: 2, images: 30 })
    expect(report.problems).toEqual([])
    expect(report).toMatchObject({ killedBackups: 2, killedRestores: 2 })
    expect(report.imagesMeanwhile).toBeGreaterThan(0)
  },
)
