/** `lading backup verify` as a user runs it, on damaged and forged backups. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import {
  flipByte,
  lading,
  listBackupBlobs,
  startScene,
} from '../../../../test/support/scenes/backup-scene.ts'
import { digestBytes } from '../../../oci/digest.ts'

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

  test('finds the same in an archive, and refuses a truncated one', async () => {
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

/** Changes the metadata of a snapshot and corrects its digest. */
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
  expect(restored).toMatchObject({
    code: 1,
    err: expect.stringContaining('is not valid; use another backup') as unknown,
  })
  expect((await lading(`backup verify ${scene.backups}`)).code).toBe(1)
  const files = await readdir(scene.path, { recursive: true })
  expect(files.filter((name) => name.includes('escaped'))).toEqual([])
})

test('a repacked archive is read, or refused with advice if its order differs', async () => {
  await using scene = await startScene(2)
  const [place, again, unpacked] = ['b.tar', 'again.tar', 'unpacked'].map((name) => join(scene.path, name))
  await lading(`backup ${place}`, scene.dataDir)
  await mkdir(unpacked!)
  execFileSync('tar', ['-xf', place!, '-C', unpacked!])
  execFileSync('tar', ['--sort=name', '-cf', again!, '-C', unpacked!, '.'])
  expect(await lading(`backup verify ${again}`)).toMatchObject({ code: 0 })
  const names = execFileSync('tar', ['-tf', place!], { encoding: 'utf8' }).trimEnd().split('\n')
  execFileSync('tar', ['-cf', again!, '-C', unpacked!, ...names.toReversed()])
  expect(await lading(`restore ${again}`, scene.restored)).toMatchObject({
    code: 1,
    err: expect.stringContaining('unpack it and name the folder') as unknown,
  })
  expect(existsSync(scene.restored)).toBe(false)
  expect(await lading(`restore ${unpacked}`, scene.restored)).toMatchObject({ code: 0 })
})
