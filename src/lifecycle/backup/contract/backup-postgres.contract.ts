/** Tests of backups of a registry on a real PostgreSQL, and of restores from SQLite into it and back, through the commands. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { findLostImages, startImagePushes } from '../../../../test/support/uploads/image-pushes.ts'
import { startInProcess } from '../../../../test/support/parts/in-process.ts'
import { createPostgresDatabase } from '../../../../test/support/parts/postgres-database.ts'
import { runLading } from '../../../../test/support/processes/run-lading.ts'
import { compareData } from '../../../../test/support/processes/stopped-data.ts'
import { tempFolder } from '../../../../test/support/processes/temp-folder.ts'

const driver = 'postgres' as const

test.each(['backups', 'backup.tar'])(
  'from SQLite to PostgreSQL to SQLite, under load, with %s',
  async (name) => {
    await using folder = await tempFolder('lading-backup')
    await using database = await createPostgresDatabase()
    const [dataDir, second, third] = ['first', 'second', 'third'].map((part) => join(folder.path, part)) as [
      string,
      string,
      string,
    ]
    const postgres = { LADING_METADATA_DRIVER: driver, LADING_METADATA_URL: database.url }
    const run = async (line: string, env: Record<string, string>): Promise<void> => {
      expect(await runLading(line, { env })).toMatchObject({ code: 0 })
    }
    const place = (step: string): string => join(folder.path, `${step}-${name}`)
    const marked = []
    {
      await using registry = await startInProcess({ dataDir })
      await using pushes = startImagePushes({ url: registry.url })
      await pushes.reached(5)
      marked.push(...pushes.acknowledged)
      await run(`backup ${place('first')}`, { LADING_DATA: dataDir })
      await pushes.stop()
    }
    await run(`restore ${place('first')}`, { ...postgres, LADING_DATA: second })
    const again = await runLading(`restore ${place('first')}`, { env: { ...postgres, LADING_DATA: second } })
    expect(again).toMatchObject({
      code: 1,
      err: expect.stringContaining('the database of metadata.url is not empty') as unknown,
    })
    {
      await using registry = await startInProcess({
        dataDir: second,
        metadata: { driver, url: database.url },
      })
      expect(await findLostImages(registry.url, marked)).toEqual([])
      await using pushes = startImagePushes({ url: registry.url, owner: 'later' })
      await pushes.reached(5)
      marked.push(...pushes.acknowledged)
      await run(`backup ${place('second')}`, { ...postgres, LADING_DATA: second })
      await pushes.stop()
    }
    await run(`backup verify ${place('second')}`, {})
    await run(`restore ${place('second')}`, { LADING_DATA: third })
    await using registry = await startInProcess({ dataDir: third })
    expect(await findLostImages(registry.url, marked)).toEqual([])
    expect(await compareData(third)).toEqual([])
  },
)
