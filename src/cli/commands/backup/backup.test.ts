/** Tests `lading backup` as a user runs it, while a registry runs. */
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  flipByte,
  lading,
  listBackupBlobs,
  startScene,
} from '../../../../test/support/scenes/backup-scene.ts'
import { ask } from '../../../../test/support/http/client.ts'
import { findLostImages, startImagePushes } from '../../../../test/support/uploads/image-pushes.ts'
import { startInProcess } from '../../../../test/support/parts/in-process.ts'
import { aBlob, aRandomBlob } from '../../../../test/support/content/random.ts'
import { silentLog } from '../../../../test/support/parts/silent-log.ts'
import { compareData, listBlobFiles } from '../../../../test/support/processes/stopped-data.ts'
import { tempFolder } from '../../../../test/support/processes/temp-folder.ts'

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
  test('copy only new content', async () => {
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

  test('remove the leftovers of a killed backup, and nothing else', async () => {
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

  test('refuse the folder of another program or another registry', async () => {
    await using scene = await startScene(1)
    await using other = await startScene(1)
    expect(await lading(`backup ${scene.path}`, scene.dataDir)).toMatchObject({
      code: 1,
      err: expect.stringContaining('is not empty and is not a backup') as unknown,
    })
    await lading(`backup ${scene.backups}`, scene.dataDir)
    expect(await lading(`backup ${scene.backups}`, other.dataDir)).toMatchObject({
      code: 1,
      err: expect.stringContaining('name another folder') as unknown,
    })
  })

  test('are readable only by their owner', async () => {
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

test.each(['uploads', 'blobs/00/b.tar', 'new/folder', 'linked'])(
  'a backup inside the store is refused, and makes nothing: %s',
  async (name) => {
    await using scene = await startScene(1)
    const store = join(scene.dataDir, 'store')
    await symlink(store, join(scene.path, 'linked'))
    const before = await readdir(store, { recursive: true })
    const place = name === 'linked' ? join(scene.path, 'linked', 'uploads') : join(store, name)
    const { code, err } = await lading(`backup ${place}`, scene.dataDir)
    expect([code, err]).toEqual([1, expect.stringContaining('is inside the blob store')])
    expect(await readdir(store, { recursive: true })).toEqual(before)
  },
)

test.each(['b.tar.gz', 'b.tgz', 'b.tar.zst'])(
  'the name %s, which promises compression, is refused',
  async (name) => {
    await using scene = await startScene(1)
    const place = join(scene.path, name)
    for (const command of ['backup', 'backup verify', 'restore']) {
      const dataDir = command === 'backup' ? scene.dataDir : scene.restored
      const { code, err } = await lading(
        `${command} ${place}`,
        command === 'backup verify' ? undefined : dataDir,
      )
      expect([code, err]).toEqual([1, expect.stringContaining('whose name ends in .tar')])
    }
    expect(existsSync(place)).toBe(false)
    await writeFile(join(scene.path, 'notes'), 'of the operator')
    const { code, err } = await lading(`backup ${join(scene.path, 'notes')}`, scene.dataDir)
    expect([code, err]).toEqual([1, expect.stringContaining('whose name ends in .tar')])
  },
)

describe('blobs that are damaged in the store', () => {
  test('are reported with the repositories and manifests that need them; the backup has all others', async () => {
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

  test('of the right size are repaired as the message says: move the file away and push again', async () => {
    await using scene = await startScene(1)
    const digest = scene.pushed[0]?.blobs[1] ?? ''
    const file = join(scene.dataDir, 'store', (await listBlobFiles(scene.dataDir, digest))[0] ?? '')
    const bytes = await readFile(file)
    await flipByte(file, 7)
    const { value } = await lading(`backup ${scene.backups}`, scene.dataDir)
    const [{ reason } = { reason: '' }] = value['damaged'] as { reason: string }[]
    expect(reason).toContain(`until you move ${file} away`)
    await using registry = await startInProcess({ dataDir: scene.dataDir, deps: { logger: silentLog } })
    await rename(file, join(scene.path, 'away'))
    const uploads = `${registry.url}${scene.pushed[0]?.base}/blobs/uploads/?digest=${digest}`
    expect((await ask(uploads, { method: 'POST', body: bytes })).status).toBe(201)
    expect(await findLostImages(registry.url, scene.pushed)).toEqual([])
    expect((await lading(`backup ${scene.backups}`, scene.dataDir)).code).toBe(0)
  })
})
