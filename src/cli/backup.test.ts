/** `lading backup`, `backup verify` and `restore` as a user runs them, beside a registry that serves. */
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { ask } from '../../test/support/client.ts'
import { findLostImages, startImagePushes } from '../../test/support/image-pushes.ts'
import { startInProcess } from '../../test/support/in-process.ts'
import { aBlob, aRandomBlob } from '../../test/support/random.ts'
import { runLading } from '../../test/support/run-lading.ts'
import { compareData, listBlobFiles, queryRows } from '../../test/support/stopped-data.ts'
import { tempFolder } from '../../test/support/temp-folder.ts'
import { lockFile } from '../metadata/dialects/sqlite-lock.ts'
import { digestBytes } from '../oci/digest.ts'

interface Result {
  readonly code: number
  readonly value: Record<string, unknown>
  readonly err: string
}

async function lading(line: string, dataDir = '/nowhere'): Promise<Result> {
  const { code, out, err } = await runLading(`${line} --json`, { env: { LADING_DATA: dataDir } })
  return { code, value: (out === '' ? {} : JSON.parse(out)) as Record<string, unknown>, err }
}

/** A stopped registry with some images, its backups beside it. */
async function startScene(images = 6) {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await tempFolder('lading-backup'))
  const [dataDir, backups, restored] = ['data', 'backups', 'restored'].map((name) => join(folder.path, name))
  const pushed = []
  {
    await using registry = await startInProcess({ dataDir: dataDir! })
    await using pushes = startImagePushes({ url: registry.url })
    await pushes.reached(images)
    await pushes.stop()
    pushed.push(...pushes.acknowledged)
  }
  const resources = stack.move()
  return {
    path: folder.path,
    dataDir: dataDir!,
    backups: backups!,
    restored: restored!,
    pushed,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

async function listBackupBlobs(folder: string): Promise<readonly string[]> {
  const entries = await readdir(join(folder, 'blobs'), { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

async function flipByte(path: string, at: number): Promise<void> {
  const bytes = await readFile(path)
  bytes[at] = (bytes[at] ?? 0) ^ 1
  await writeFile(path, bytes)
}

describe.each(['folder', 'archive'])('a backup into a %s', (kind) => {
  test('of a registry under load holds everything acknowledged before it began, and restores', async () => {
    await using folder = await tempFolder('lading-backup')
    const place = join(folder.path, kind === 'folder' ? 'backups' : 'backup.tar')
    const restored = join(folder.path, 'restored')
    const before = []
    {
      await using registry = await startInProcess()
      await using pushes = startImagePushes({ url: registry.url })
      await pushes.reached(8)
      before.push(...pushes.acknowledged)
      const backup = await lading(`backup ${place}`, registry.dataDir)
      expect(backup).toMatchObject({ code: 0, value: { damaged: [] } })
      await pushes.stop()
      expect(pushes.acknowledged.length).toBeGreaterThan(before.length)
    }
    expect(await lading(`backup verify ${place}`)).toMatchObject({ code: 0, value: { damage: [] } })
    expect(await lading(`restore ${place}`, restored)).toMatchObject({ code: 0, value: { damaged: [] } })
    {
      await using registry = await startInProcess({ dataDir: restored })
      expect(await findLostImages(registry.url, before)).toEqual([])
    }
    expect(await compareData(restored)).toEqual([])
  })

  test('keeps large names, sha512, empty blobs, users and the installation id', async () => {
    await using folder = await tempFolder('lading-backup')
    const [place, restored] = [join(folder.path, kind === 'folder' ? 'b' : 'b.tar'), join(folder.path, 'r')]
    const base = `/v2/${'very-long-name/'.repeat(15)}image`
    const blobs = [aBlob(''), aRandomBlob(3_000_000), aRandomBlob(100, 'sha512')]
    let installation: unknown
    {
      await using registry = await startInProcess()
      for (const { digest, bytes } of blobs) {
        const url = `${registry.url}${base}/blobs/uploads/?digest=${digest}`
        expect((await ask(url, { method: 'POST', body: bytes })).status).toBe(201)
      }
      await lading('user add alice --generate', registry.dataDir)
      const backup = await lading(`backup ${place}`, registry.dataDir)
      expect(backup).toMatchObject({ code: 0, value: { blobs: 3, copied: 3, kept: 0 } })
      installation = backup.value['installation']
    }
    expect(await lading(`backup verify ${place}`)).toMatchObject({ code: 0, value: { blobs: 3 } })
    expect((await lading(`restore ${place}`, restored)).code).toBe(0)
    await using registry = await startInProcess({ dataDir: restored })
    for (const { digest, bytes } of blobs) {
      const answer = await ask(`${registry.url}${base}/blobs/${digest}`)
      expect({ status: answer.status, isEqual: answer.body.equals(bytes) }).toEqual({
        status: 200,
        isEqual: true,
      })
    }
    const users = await lading('user list', restored)
    expect(JSON.stringify(users.value)).toContain('"alice"')
    expect(await registry.app.store.readInstallationId()).toBe(installation)
  })
})

describe('backups of one folder', () => {
  test('copy only what is new', async () => {
    await using scene = await startScene()
    const first = await lading(`backup ${scene.backups}`, scene.dataDir)
    const held = (await listBackupBlobs(scene.backups)).length
    expect(first.value).toMatchObject({ copied: held, kept: 0, blobs: held })
    {
      await using registry = await startInProcess({ dataDir: scene.dataDir })
      const { digest, bytes, size } = aRandomBlob(1234)
      await ask(`${registry.url}/v2/acme/new/blobs/uploads/?digest=${digest}`, {
        method: 'POST',
        body: bytes,
      })
      const second = await lading(`backup ${scene.backups}`, scene.dataDir)
      expect(second.value).toMatchObject({ copied: 1, copiedBytes: size, kept: held, blobs: held + 1 })
    }
    const { value } = await lading(`backup verify ${scene.backups} --snapshot ${String(first.value['name'])}`)
    expect(value).toMatchObject({ snapshot: first.value['name'], blobs: held, damage: [] })
  })

  test('remove what a killed backup left, and nothing else', async () => {
    await using scene = await startScene(2)
    const first = await lading(`backup ${scene.backups}`, scene.dataDir)
    const unfinished = join(scene.backups, 'snapshots', '29990101T000000.000Z')
    await mkdir(unfinished)
    await mkdir(join(scene.backups, 'incoming'))
    await writeFile(join(unfinished, 'metadata.db'), 'half')
    await writeFile(join(scene.backups, 'incoming', '1'), 'half')
    await writeFile(join(scene.backups, 'snapshots', 'notes'), 'of the operator')
    expect((await lading(`backup verify ${scene.backups}`)).value['snapshot']).toBe(first.value['name'])
    const second = await lading(`backup ${scene.backups}`, scene.dataDir)
    expect((await readdir(join(scene.backups, 'snapshots'))).toSorted()).toEqual([
      first.value['name'],
      second.value['name'],
      'notes',
    ])
    expect(existsSync(join(scene.backups, 'incoming'))).toBe(false)
  })

  test('refuse a folder of something else, and of another registry', async () => {
    await using scene = await startScene(1)
    await using other = await startScene(1)
    expect(await lading(`backup ${scene.path}`, scene.dataDir)).toMatchObject({
      code: 1,
      err: expect.stringContaining('is not empty and holds no backup') as unknown,
    })
    await lading(`backup ${scene.backups}`, scene.dataDir)
    expect(await lading(`backup ${scene.backups}`, other.dataDir)).toMatchObject({
      code: 1,
      err: expect.stringContaining('name another folder') as unknown,
    })
  })

  test('are readable by their owner alone', async () => {
    await using scene = await startScene(1)
    await lading(`backup ${scene.backups}`, scene.dataDir)
    await lading(`backup ${scene.path}/b.tar`, scene.dataDir)
    const entries = await readdir(scene.backups, { recursive: true, withFileTypes: true })
    const files = entries
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name))
    const modes = await Promise.all(
      [...files, `${scene.path}/b.tar`].map(async (file) => (await stat(file)).mode),
    )
    expect(new Set(modes.map((mode) => mode & 0o077))).toEqual(new Set([0]))
  })
})

test('an archive is never overwritten', async () => {
  await using scene = await startScene(1)
  await lading(`backup ${scene.path}/b.tar`, scene.dataDir)
  expect(await lading(`backup ${scene.path}/b.tar`, scene.dataDir)).toMatchObject({
    code: 1,
    err: expect.stringContaining('already exists') as unknown,
  })
})

describe('blobs that are damaged in the store', () => {
  test('are named with what needs them, and all others are in the backup', async () => {
    await using scene = await startScene()
    const [flipped, missing, short] = scene.pushed.map(({ blobs }) => blobs[1] ?? '')
    const pathOf = async (digest: string | undefined) =>
      join(scene.dataDir, 'store', (await listBlobFiles(scene.dataDir, digest ?? ''))[0] ?? '')
    await flipByte(await pathOf(flipped), 7)
    await rm(await pathOf(missing))
    await truncate(await pathOf(short), 5)
    for (const place of [scene.backups, `${scene.path}/b.tar`]) {
      const { code, value } = await lading(`backup ${place}`, scene.dataDir)
      const damaged = value['damaged'] as {
        digest: string
        repositories: string[]
        manifests: { digest: string }[]
      }[]
      expect(code).toBe(1)
      expect(damaged.map(({ digest }) => digest).toSorted()).toEqual(
        [flipped, missing, short].map(String).toSorted(),
      )
      const image = scene.pushed[0]
      const found = damaged.find(({ digest }) => digest === flipped)
      expect(found?.repositories).toEqual([image?.base.replace('/v2/', '')])
      expect(found?.manifests.map(({ digest }) => digest)).toEqual([image?.manifest])
      expect(value['copied']).toBe((value['blobs'] as number) - 3)
      const proof = await lading(`backup verify ${place}`)
      expect(proof).toMatchObject({ code: 1, value: { damage: { length: 3 } } })
    }
    const place = `${scene.path}/b.tar`
    expect(await lading(`restore ${place}`, scene.restored)).toMatchObject({
      code: 1,
      err: expect.stringContaining('--skip-damaged') as unknown,
    })
    expect(await lading(`restore ${place} --skip-damaged`, scene.restored)).toMatchObject({
      code: 0,
      value: { damaged: { length: 3 } },
    })
    await using registry = await startInProcess({ dataDir: scene.restored })
    expect(await findLostImages(registry.url, scene.pushed.slice(3))).toEqual([])
  })
})

describe('the proof of a backup', () => {
  test('finds a flipped byte, a missing blob and a damaged database in a folder', async () => {
    await using scene = await startScene()
    const { value } = await lading(`backup ${scene.backups}`, scene.dataDir)
    const [flipped = '', missing = ''] = await listBackupBlobs(scene.backups)
    await flipByte(flipped, 3)
    await rm(missing)
    const found = await lading(`backup verify ${scene.backups}`)
    expect(found.code).toBe(1)
    expect(found.value['damage']).toMatchObject([
      { place: flipped, reason: expect.stringContaining('another digest') as unknown },
      { place: missing, reason: 'it is missing' },
    ])
    const metadata = join(scene.backups, 'snapshots', String(value['name']), 'metadata.db')
    await flipByte(metadata, Math.floor((await stat(metadata)).size / 2))
    const worse = await lading(`backup verify ${scene.backups}`)
    expect(worse.value['damage']).toContainEqual(
      expect.objectContaining({ content: 'metadata', place: metadata }),
    )
    expect(await lading(`restore ${scene.backups}`, scene.restored)).toMatchObject({
      code: 1,
      err: expect.stringContaining('use another snapshot') as unknown,
    })
    await truncate(metadata, 1000)
    expect((await lading(`backup verify ${scene.backups}`)).code).toBe(1)
  })

  test('finds the same in an archive, and refuses one that is cut off', async () => {
    await using scene = await startScene()
    const place = `${scene.path}/b.tar`
    await lading(`backup ${place}`, scene.dataDir)
    const bytes = await readFile(place)
    const layer = bytes.indexOf(`blobs/sha256/`) + 512
    await flipByte(place, layer)
    expect(await lading(`backup verify ${place}`)).toMatchObject({
      code: 1,
      value: { damage: { length: 1 } },
    })
    for (const size of [bytes.length - 1024, bytes.length - 2048, layer, 100, 0]) {
      await truncate(place, size)
      const cut = await lading(`backup verify ${place}`)
      expect(cut).toMatchObject({
        code: 1,
        err: expect.stringMatching(/damaged|no complete snapshot/) as unknown,
      })
      expect((await lading(`restore ${place}`, scene.restored)).code).toBe(1)
      expect(existsSync(scene.restored)).toBe(false)
    }
  })
})

/** Changes the metadata of a snapshot so that its digest is right. */
async function forge(folder: string, statement: string): Promise<void> {
  const [metadata, info] = ['metadata.db', 'snapshot.json'].map((name) => join(folder, name))
  {
    using database = new DatabaseSync(metadata!)
    database.exec(statement)
  }
  const parsed = JSON.parse(await readFile(info!, 'utf8')) as { metadata: { digest: string } }
  parsed.metadata.digest = digestBytes(await readFile(metadata!))
  await writeFile(info!, JSON.stringify(parsed))
}

test.each([
  ['storage key', "update blob set storage_key = '../../../../escaped'"],
  ['digest', "update blob set digest = 'sha256:../../../escaped'"],
])('a forged %s leads nowhere', async (_, change) => {
  await using scene = await startScene(1)
  const { value } = await lading(`backup ${scene.backups}`, scene.dataDir)
  const one = 'where digest = (select min(digest) from blob)'
  await forge(
    join(scene.backups, 'snapshots', String(value['name'])),
    `pragma foreign_keys = off; ${change} ${one}`,
  )
  const restored = await lading(`restore ${scene.backups}`, join(scene.path, 'a', 'b', 'restored'))
  expect(restored).toMatchObject({ code: 1, err: expect.stringContaining('no registry wrote') as unknown })
  expect((await lading(`backup verify ${scene.backups}`)).code).toBe(1)
  const files = await readdir(scene.path, { recursive: true })
  expect(files.filter((name) => name.includes('escaped'))).toEqual([])
})

describe('a restore', () => {
  test('is refused over a registry, and changes nothing', async () => {
    await using scene = await startScene(2)
    await lading(`backup ${scene.backups}`, scene.dataDir)
    const before = queryRows(scene.dataDir, 'select digest from manifest')
    expect(await lading(`restore ${scene.backups}`, scene.dataDir)).toMatchObject({
      code: 1,
      err: expect.stringContaining('the database is not empty') as unknown,
    })
    expect(queryRows(scene.dataDir, 'select digest from manifest')).toEqual(before)
  })

  test('is refused while another one fills the same folder, whose draft stays as it is', async () => {
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

  test('that has not ended keeps a registry from starting, and goes on when it is run again', async () => {
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
    // A newer snapshot is not what was begun.
    await lading(`backup ${scene.backups}`, scene.dataDir)
    expect(await lading(`restore ${scene.backups}`, scene.restored)).toMatchObject({
      code: 0,
      value: { written: 1 },
    })
    await using registry = await startInProcess({ dataDir: scene.restored })
    expect(await findLostImages(registry.url, scene.pushed)).toEqual([])
  })

  test('takes no upload session, lease or dead key along', async () => {
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
