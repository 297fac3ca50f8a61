/** `lading restore` as a user runs it: its targets and refusals. */
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, truncate, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import {
  flipByte,
  lading,
  listBackupBlobs,
  startScene,
} from '../../../../test/support/scenes/backup-scene.ts'
import { ask } from '../../../../test/support/http/client.ts'
import { findLostImages } from '../../../../test/support/uploads/image-pushes.ts'
import { startInProcess } from '../../../../test/support/parts/in-process.ts'
import { aRandomBlob } from '../../../../test/support/content/random.ts'
import { listBlobFiles, queryRows } from '../../../../test/support/processes/stopped-data.ts'
import { digestBytes } from '../../../oci/digest.ts'
import { DamagedBackup } from '../../../lifecycle/backup/run-restore.ts'
import { lockFile } from '../../../metadata/dialects/sqlite/lock.ts'

test('the message about a damaged backup says how many blobs it leaves out', () => {
  const damaged = Array.from({ length: 12 }, (_, index) => ({
    digest: digestBytes(Buffer.of(index)),
    reason: 'it is missing',
    repositories: [],
    manifests: [],
  }))
  const { message } = new DamagedBackup(damaged)
  expect(message).toMatch(/^12 blobs of the backup are damaged \((sha256:\w+, ){9}sha256:\w+ and 2 more\)\. /)
  expect(new DamagedBackup(damaged.slice(0, 1)).message).toMatch(
    /^1 blob of the backup is damaged \(sha256:\w+\)\. /,
  )
})

describe('a restore', () => {
  test('is refused over a registry, and changes nothing', async () => {
    await using scene = await startScene(2)
    await lading(`backup ${scene.backups}`, scene.dataDir)
    const before = queryRows(scene.dataDir, 'select digest from manifest')
    expect(await lading(`restore ${scene.backups}`, scene.dataDir)).toMatchObject({
      code: 1,
      err: expect.stringMatching(/the database \S+lading\.db is not empty/) as unknown,
    })
    expect(queryRows(scene.dataDir, 'select digest from manifest')).toEqual(before)
  })

  test('is refused while another restore fills the same folder, and leaves its draft unchanged', async () => {
    await using scene = await startScene(1)
    await lading(`backup ${scene.backups}`, scene.dataDir)
    await mkdir(scene.restored)
    const draft = join(scene.restored, 'lading.db.restore')
    await writeFile(draft, 'half')
    {
      await using _other = lockFile(`${draft}-lock`)
      expect(await lading(`restore ${scene.backups}`, scene.restored)).toMatchObject({
        code: 1,
        err: expect.stringContaining('another restore') as unknown,
      })
      expect(await readFile(draft, 'utf8')).toBe('half')
    }
    expect(await lading(`restore ${scene.backups}`, scene.restored)).toMatchObject({ code: 0 })
    expect((await readdir(scene.restored)).filter((name) => name.includes('restore'))).toEqual([])
  })

  test.each([
    ['missing', (file: string) => rm(file)],
    ['truncated', (file: string) => truncate(file, 0)],
  ])('beside a store whose database is %s needs --database-only, and keeps newer blobs', async (_, lose) => {
    await using scene = await startScene(2)
    await lading(`backup ${scene.backups}`, scene.dataDir)
    const { digest, bytes } = aRandomBlob()
    {
      await using registry = await startInProcess({ dataDir: scene.dataDir })
      await ask(`${registry.url}/v2/acme/new/blobs/uploads/?digest=${digest}`, {
        method: 'POST',
        body: bytes,
      })
    }
    await lose(join(scene.dataDir, 'lading.db'))
    expect(await lading(`restore ${scene.backups}`, scene.dataDir)).toMatchObject({
      code: 1,
      err: expect.stringContaining('--database-only') as unknown,
    })
    const [newer = ''] = await listBlobFiles(scene.dataDir, digest)
    const [old = ''] = await listBlobFiles(scene.dataDir, scene.pushed[0]?.blobs[1] ?? '')
    await rm(join(scene.dataDir, 'store', old))
    const restored = await lading(`restore ${scene.backups} --database-only`, scene.dataDir)
    expect(restored).toMatchObject({ code: 0, value: { written: 1 } })
    expect(existsSync(join(scene.dataDir, 'store', newer))).toBe(true)
    await using registry = await startInProcess({ dataDir: scene.dataDir })
    expect(await findLostImages(registry.url, scene.pushed)).toEqual([])
  })

  test('of the database alone under a clock that is behind does not judge the newer blobs', async () => {
    await using scene = await startScene(1)
    await lading(`backup ${scene.backups}`, scene.dataDir)
    const [blob = ''] = await listBlobFiles(scene.dataDir, scene.pushed[0]?.blobs[0] ?? '')
    // A clock that is behind sees the bytes of the store in its future.
    const ahead = Date.now() + 30 * 86_400_000
    await utimes(join(scene.dataDir, 'store', blob), ahead / 1_000, ahead / 1_000)
    await rm(join(scene.dataDir, 'lading.db'))
    expect((await lading(`restore ${scene.backups} --database-only`, scene.dataDir)).code).toBe(0)
    const [row] = queryRows(scene.dataDir, 'select judges_since as since from installation')
    expect(row?.['since']).toBeGreaterThan(ahead)
  })

  test('of the database alone is refused beside the store of another registry', async () => {
    await using scene = await startScene(1)
    await using other = await startScene(1)
    await lading(`backup ${scene.backups}`, scene.dataDir)
    await rm(join(other.dataDir, 'lading.db'))
    expect(await lading(`restore ${scene.backups} --database-only`, other.dataDir)).toMatchObject({
      code: 1,
      err: expect.stringContaining('beside its own store') as unknown,
    })
    expect(await lading(`restore ${scene.backups}`, other.dataDir)).toMatchObject({
      code: 1,
      err: expect.stringContaining('the store is not empty') as unknown,
    })
  })

  test('never replays the log of the lost database', async () => {
    await using scene = await startScene(1)
    await lading(`backup ${scene.backups}`, scene.dataDir)
    const file = join(scene.dataDir, 'lading.db')
    {
      using database = new DatabaseSync(file)
      database.exec("pragma wal_autocheckpoint = 0; insert into lease values ('lost', 'x', 1, 1)")
      await writeFile(`${file}-kept`, await readFile(`${file}-wal`))
    }
    await rm(file)
    await writeFile(`${file}-wal`, await readFile(`${file}-kept`))
    expect((await lading(`restore ${scene.backups} --database-only`, scene.dataDir)).code).toBe(0)
    expect(existsSync(`${file}-wal.before-restore`)).toBe(true)
    expect(queryRows(scene.dataDir, "select * from lease where name = 'lost'")).toEqual([])
  })

  test('that was interrupted prevents a start of the registry, and continues when run again', async () => {
    await using scene = await startScene(3)
    await lading(`backup ${scene.backups}`, scene.dataDir)
    const [blob = ''] = await listBackupBlobs(scene.backups)
    const bytes = await readFile(blob)
    await flipByte(blob, 0)
    expect((await lading(`restore ${scene.backups}`, scene.restored)).code).toBe(1)
    await expect(startInProcess({ dataDir: scene.restored })).rejects.toThrow(
      'run the same lading restore again',
    )
    expect((await lading('doctor', scene.restored)).value).toMatchObject({ healthy: false })
    await writeFile(blob, bytes)
    // A newer snapshot is not the one that the restore began with.
    await lading(`backup ${scene.backups}`, scene.dataDir)
    expect(await lading(`restore ${scene.backups}`, scene.restored)).toMatchObject({
      code: 0,
      value: { written: 1 },
    })
    await using registry = await startInProcess({ dataDir: scene.restored })
    expect(await findLostImages(registry.url, scene.pushed)).toEqual([])
  })

  test('of the database alone removes no blob that the lost database may have linked later', async () => {
    await using scene = await startScene(1)
    const { digest, bytes } = aRandomBlob()
    const push = async (): Promise<void> => {
      await using registry = await startInProcess({ dataDir: scene.dataDir })
      const path = `${registry.url}/v2/acme/web/blobs/uploads/?digest=${digest}`
      expect((await ask(path, { method: 'POST', body: bytes })).status).toBe(201)
    }
    await push()
    const file = join(scene.dataDir, 'lading.db')
    {
      using database = new DatabaseSync(file)
      // The state after a deletion, before the next run of the collector.
      database.exec(`delete from blob_link where digest = '${digest}';
        update blob set linked = 0, created_at = 1 where digest = '${digest}'`)
    }
    await lading(`backup ${scene.backups}`, scene.dataDir)
    {
      using database = new DatabaseSync(file)
      database.exec(`update blob set created_at = ${Date.now()} where digest = '${digest}'`)
    }
    await push()
    await rm(file)
    expect((await lading(`restore ${scene.backups} --database-only`, scene.dataDir)).code).toBe(0)
    expect(queryRows(scene.dataDir, `select * from blob where digest = '${digest}'`)).toEqual([])
    expect(queryRows(scene.dataDir, 'select * from blob')).not.toEqual([])
    expect(await listBlobFiles(scene.dataDir, digest)).toHaveLength(1)
  })

  test('restores no upload session, lease or dead key', async () => {
    await using scene = await startScene(1)
    {
      await using registry = await startInProcess({ dataDir: scene.dataDir })
      await ask(`${registry.url}/v2/acme/x/blobs/uploads/`, { method: 'POST' })
      await lading(`backup ${scene.backups}`, scene.dataDir)
    }
    await lading(`restore ${scene.backups}`, scene.restored)
    const rows = ['upload', 'lease', 'dead_key'].map((table) =>
      queryRows(scene.restored, `select * from ${table}`),
    )
    expect(rows).toEqual([[], [], []])
  })
})
